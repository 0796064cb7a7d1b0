import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InboundAttachment, InboundEvent } from '../../src/channels/adapter.ts';
import { isAuthentic } from './mail/authentication.ts';
import type { Mail } from './mail/mail.ts';
import type { EmailSettings } from './settings.ts';
import { htmlToText, MAX_HTML } from './text/html-to-text.ts';
import { splitReply } from './text/reply.ts';
import type { Threads } from './threads.ts';

/** What a mail is to the host. */

/** Longer texts come as a file, with their beginning in the message. */
const LONGEST_TEXT = 60_000;
const BEGINNING = 10_000;
/** Nobody writes that much above a quote. */
const LONGEST_TO_SPLIT = 1_000_000;
const FORWARDED_SUBJECT = /^\s*(fwd?|wg|tr|rv|enc|doorst|vb|vs|i|转发|轉寄)\s*[:：]/iu;

export interface IncomingParts {
  channelType: string;
  settings: EmailSettings;
  threads: Threads;
  /** For files that the host takes over. */
  folder: string;
}

/** `at`: when our server took it, in ms since the epoch. The mail has a sender. */
export async function toEvent(parts: IncomingParts, mail: Mail & { from: NonNullable<Mail['from']> }, at: number) {
  const { channelType, settings, threads, folder } = parts;
  const chat = mail.from.address;
  const { id, root } = threads.place(chat, mail, at);
  const authentic = isAuthentic(mail.headers, chat, settings.authservId);
  const { text, quoted } = bodyOf(mail);
  const attachments: InboundAttachment[] = mail.files.map(({ name, mimeType, size, path }) => ({
    type: mimeType.startsWith('image/') ? 'image' : 'file',
    name,
    mimeType,
    size,
    localPath: path,
  }));
  let whole = describe(mail, text, settings.own);
  if (whole.length > LONGEST_TEXT) {
    const localPath = join(folder, randomUUID());
    await writeFile(localPath, whole, { flag: 'wx', mode: 0o600 });
    const size = Buffer.byteLength(whole);
    attachments.push({ type: 'file', name: 'mail.txt', mimeType: 'text/plain', size, localPath });
    whole = `${cut(whole, BEGINNING)}\n\n[This is the beginning. The whole mail is in mail.txt.]`;
  }
  // A display name that looks like an address would be read as one.
  const name = mail.from.name.includes('@') ? '' : mail.from.name;
  const replyTo = mail.inReplyTo && {
    replyTo: {
      id: mail.inReplyTo,
      sender: threads.chatOfSent(mail.inReplyTo) === chat ? settings.name : 'an earlier mail',
      text: cut(quoted, 2_000),
    },
  };
  return {
    channelType,
    platformId: chat,
    threadId: root,
    platformMessageId: id,
    senderId: `${authentic ? 'email' : 'email-unverified'}:${chat}`,
    senderName: name || chat,
    text: whole,
    timestamp: new Date(at).toISOString(),
    isMention: true,
    isGroup: false,
    chatName: name || chat,
    ...(attachments.length > 0 && { attachments }),
    ...(quoted !== '' && replyTo),
  } satisfies InboundEvent;
}

function bodyOf({ text, html, subject }: Mail) {
  const plain = text?.trim() ? text : undefined;
  const whole = (plain ?? (html === undefined ? '' : htmlToText(html))).trim();
  const isCut = plain === undefined && html !== undefined && html.length > MAX_HTML;
  if (isCut) return { text: `${whole}\n\n[The rest of this mail was left out.]`, quoted: '' };
  const isPlain = FORWARDED_SUBJECT.test(subject) || whole.length > LONGEST_TO_SPLIT;
  return isPlain ? { text: whole, quoted: '' } : splitReply(whole);
}

/** With what else the agent should know: the subject where it is new, who else was written to, what was left out. */
function describe(mail: Mail, body: string, own: ReadonlySet<string>): string {
  // A command, a code or a decision stands alone.
  const isWord = body.startsWith('/') || /^[a-z0-9]{2,8}(-[a-z0-9]{2,8})+$/i.test(body);
  const isFirst = mail.inReplyTo === undefined && mail.references.length === 0;
  const others = (people: Mail['to']) =>
    people.map(({ address }) => address).filter((address) => !own.has(address) && address !== mail.from?.address);
  const head: string[] = [];
  if (!isWord && body !== '') {
    if (isFirst && mail.subject !== '') head.push(`Subject: ${mail.subject}`);
    for (const [label, people] of [
      ['Also to', others(mail.to)],
      ['Copy to', others(mail.cc)],
    ] as const) {
      const more = people.length > 10 ? ` and ${people.length - 10} more` : '';
      if (people.length > 0) head.push(`${label}: ${people.slice(0, 10).join(', ')}${more}`);
    }
  }
  const main = body === '' && isFirst ? mail.subject : body;
  const left = mail.leftOut.length > 0 ? `[Left out of this mail: ${mail.leftOut.slice(0, 20).join(', ')}]` : '';
  return [head.join('\n'), main, left].filter((part) => part !== '').join('\n\n');
}

/** Never between the two halves of a character. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
