import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ChannelHost } from '../../src/channels/adapter.ts';
import type { Logger } from '../../src/log/index.ts';
import { type IncomingParts, toEvent } from './incoming.ts';
import type { Mail } from './mail/mail.ts';
import { READ_LIMITS, readMail } from './mail/read.ts';
import { unwanted } from './mail/unwanted.ts';
import type { Arrived } from './mailbox.ts';

/** One mail from the mailbox to the host, or to the log with the reason why not. */

const HOUR_MS = 3_600_000;
/** What the host refuses for a reason of its own is tried this often, then passed over. */
const MOST_TRIES = 12;
/** It would be refused each time. */
const FOR_GOOD = new Set(['NC_MESSAGE_EMPTY', 'NC_MESSAGE_TOO_LARGE']);

export interface TakingParts extends IncomingParts {
  host(): ChannelHost | undefined;
  log: Logger;
}

export function createTaking(parts: TakingParts) {
  const { settings, threads, folder, log } = parts;
  const tries = new Map<number, number>();

  /** True: the mailbox may go on to the next one. */
  async function take(arrived: Arrived): Promise<boolean> {
    const host = parts.host();
    if (!host) return false;
    const mail = await read(arrived);
    if (!mail) return true;
    const { from } = mail;
    const reason = unwanted(mail, settings.own) ?? brake(mail);
    if (reason !== undefined || from === undefined) {
      drop(arrived, mail, reason ?? 'no-sender');
      await discard(mail);
      return true;
    }
    const event = await toEvent(parts, { ...mail, from }, arrived.at);
    const { senderId, platformId, platformMessageId } = event;
    const acceptance = await host.accept(event);
    const { status } = acceptance;
    log.info('mail', { uid: arrived.uid, platformId, platformMessageId, sender: senderId, status });
    if (acceptance.status !== 'refused') return done(arrived.uid);
    if (FOR_GOOD.has(acceptance.code)) {
      log.warn('a mail was refused', { uid: arrived.uid, platformId, code: acceptance.code });
      return done(arrived.uid);
    }
    const count = (tries.get(arrived.uid) ?? 0) + 1;
    tries.set(arrived.uid, count);
    if (count < MOST_TRIES) return false;
    log.error('a mail is passed over', { uid: arrived.uid, platformId, code: acceptance.code });
    return done(arrived.uid);
  }

  function done(uid: number): true {
    tries.delete(uid);
    return true;
  }

  /** Undefined: nobody can read it. A line that breaks is no fault of the mail, and rejects. */
  async function read({ uid, size, open }: Arrived): Promise<Mail | undefined> {
    if (size > READ_LIMITS.mailBytes) {
      log.warn('a mail was dropped', { uid, reason: 'too-large', size });
      return undefined;
    }
    const raw = await open();
    if (!raw) return undefined;
    let broken: unknown;
    raw.once('error', (error) => {
      broken = error;
    });
    try {
      // A download that is destroyed in its midst holds up the connection for good.
      return await readMail(Readable.from(raw.iterator({ destroyOnReturn: false }), { objectMode: false }), folder);
    } catch (error) {
      raw.resume();
      if (broken !== undefined && broken === error) throw error;
      log.warn('a mail was dropped', { uid, reason: 'unreadable', error });
      return undefined;
    }
  }

  /** Two programs that answer each other are slower than people for an hour, not for a day. */
  function brake({ from }: Mail): string | undefined {
    if (from === undefined) return undefined;
    const day = threads.sentSince(from.address, Date.now() - 24 * HOUR_MS).count;
    return day >= settings.repliesPerHour * 10 ? 'too-many-a-day' : undefined;
  }

  function drop({ uid }: Arrived, mail: Mail, reason: string): void {
    const about = { uid, reason, sender: mail.from?.address, messageId: mail.messageId };
    log.info('a mail was dropped', about);
    if (reason !== 'bounce') return;
    for (const id of mail.mentioned) {
      const chat = threads.chatOfSent(id);
      if (chat !== undefined) log.warn('a mail of ours came back', { chat, messageId: id, subject: mail.subject });
    }
  }

  return take;
}

async function discard({ files }: Mail): Promise<void> {
  await Promise.all(files.map(({ path }) => rm(path, { force: true })));
}
