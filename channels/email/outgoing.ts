import MailComposer from 'nodemailer/lib/mail-composer';
import type { OutboundMessage } from '../../src/channels/adapter.ts';
import { plainName } from './mail/address.ts';
import type { EmailSettings } from './settings.ts';
import { markdownToHtml } from './text/markdown-to-html.ts';
import type { Threads } from './threads.ts';

/** A message of the host as a mail. */

export interface Letter {
  messageId: string;
  root: string;
  subject: string;
  to: string;
  inReplyTo?: string;
  references: readonly string[];
}

/** What stands above a mail: of its thread, or its first line where it begins one. */
export function letterOf(message: OutboundMessage, to: string, messageId: string, threads: Threads): Letter {
  if (message.threadId === null) {
    return { messageId, root: messageId, subject: firstLine(message), to, references: [] };
  }
  const line = threads.line(to, message.threadId, message.quotes);
  const bare = plainName(line.subject.replace(/^(\s*(re|aw|sv|antw|odp)\s*:\s*)+/i, '')) || firstLine(message);
  return {
    messageId,
    root: message.threadId,
    subject: `Re: ${bare}`,
    to,
    inReplyTo: line.inReplyTo,
    references: line.references,
  };
}

/** Made as it is read: files are never whole in memory. */
export function compose(letter: Letter, message: OutboundMessage, { address, name }: EmailSettings) {
  const { messageId, subject, to, inReplyTo, references } = letter;
  return new MailComposer({
    from: { name, address },
    to: { name: '', address: to },
    subject,
    messageId,
    ...(inReplyTo !== undefined && { inReplyTo }),
    references: [...references],
    text: message.text,
    html: markdownToHtml(message.text),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    attachments: message.files.map(({ name: file, path }) => ({ filename: plainName(file) || 'file', path })),
    disableUrlAccess: true,
  }).compile();
}

function firstLine({ text, files }: OutboundMessage): string {
  const line = text.split('\n').find((one) => /[\p{L}\p{N}]/u.test(one)) ?? files[0]?.name ?? 'A message';
  return plainName(line.replace(/[*_`#>]+/g, ' '))
    .slice(0, 70)
    .trim();
}
