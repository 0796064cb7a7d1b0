import type { Mail } from './mail.ts';

/** Why a mail is not for the agent: nothing that a machine sent by itself is answered, or two of them would never end. */

export type Unwanted = 'own-mail' | 'bounce' | 'auto-reply' | 'mailing-list' | 'no-reply-sender' | 'no-sender';

const NO_REPLY =
  /^(no|non|not|do[-_.]?not|nao|ne)[-_.]?(reply|responder|repondre|rispondere)([-_.+0-9].*)?$|^(mailer-daemon|postmaster|bounces?|daemon|notifications?)([-_+].*)?$/;

export function unwanted(mail: Mail, own: ReadonlySet<string>): Unwanted | undefined {
  const { headers, from } = mail;
  if (isBounce(mail)) return 'bounce';
  if (from === undefined) return 'no-sender';
  if (own.has(from.address)) return 'own-mail';
  if (isAutomatic(mail)) return 'auto-reply';
  if (['list-id', 'list-post', 'list-unsubscribe'].some((name) => headers.first(name) !== undefined)) {
    return 'mailing-list';
  }
  if (/^(bulk|junk|list)\b/i.test(headers.first('precedence') ?? '')) return 'mailing-list';
  return NO_REPLY.test(from.address.slice(0, from.address.lastIndexOf('@'))) ? 'no-reply-sender' : undefined;
}

function isBounce({ headers, from }: Mail): boolean {
  return (
    headers.all('return-path').some((path) => path.replace(/\s/g, '') === '<>') ||
    headers.first('x-failed-recipients') !== undefined ||
    /^multipart\/report\b/i.test(headers.first('content-type') ?? '') ||
    /^mailer-daemon@/.test(from?.address ?? '')
  );
}

function isAutomatic({ headers }: Mail): boolean {
  const submitted = headers.first('auto-submitted')?.toLowerCase();
  if (submitted !== undefined && !/^no\b/.test(submitted)) return true;
  // Exchange also writes `None`, on what a person sent.
  const suppress = headers.first('x-auto-response-suppress')?.toLowerCase();
  if (suppress !== undefined && suppress !== 'none') return true;
  if (/^auto[-_]reply\b/i.test(headers.first('precedence') ?? '')) return true;
  return ['x-autoreply', 'x-autorespond', 'x-auto-reply-from', 'x-loop'].some((name) => headers.first(name));
}
