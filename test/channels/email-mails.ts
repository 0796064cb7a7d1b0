import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { toEvent } from '../../channels/email/incoming.ts';
import { readMail } from '../../channels/email/mail/read.ts';
import { unwanted } from '../../channels/email/mail/unwanted.ts';
import { readSettings } from '../../channels/email/settings.ts';
import { openThreads } from '../../channels/email/threads.ts';

/** What becomes of a raw mail, without a server. */

export const MAILS = join(import.meta.dirname, '../fakes/mail/eml');

export function mailNames(): string[] {
  return readdirSync(MAILS).map((file) => file.replace(/\.eml$/, ''));
}

export interface Become {
  dropped?: string;
  sender?: string;
  name?: string;
  text?: string;
  thread?: string | null;
  files?: string[];
  id?: string;
  quoted?: string;
}

export async function becomes(raw: string | Readable): Promise<Become> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-mails-'));
  const settings = readSettings({
    ADDRESS: 'bot@here.test',
    PASSWORD: 'x',
    AUTHSERV_ID: 'mx.here.test',
    ALIASES: 'assistant@here.test',
  });
  const threads = openThreads(':memory:', Date.now());
  try {
    const mail = await readMail(typeof raw === 'string' ? createReadStream(join(MAILS, `${raw}.eml`)) : raw, folder);
    const dropped = unwanted(mail, settings.own);
    const { from } = mail;
    if (dropped || !from) return { dropped: dropped ?? 'no-sender' };
    const parts = { channelType: 'email', settings, threads, folder };
    const event = await toEvent(parts, { ...mail, from }, Date.parse('2026-11-21T00:00:00Z'));
    return {
      sender: event.senderId,
      name: event.senderName,
      text: event.text,
      thread: event.threadId,
      id: event.platformMessageId,
      ...(event.attachments && { files: event.attachments.map(({ name, size }) => `${name} ${size}`) }),
      ...(event.replyTo && { quoted: event.replyTo.text }),
    };
  } finally {
    threads.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
