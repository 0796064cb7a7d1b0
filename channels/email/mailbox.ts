import type { Readable } from 'node:stream';
import { ImapFlow } from 'imapflow';
import type { ChannelHealth } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { type Cursor, readCursor, startOf, writeCursor } from './cursor.ts';
import type { EmailSettings } from './settings.ts';
import { createSleep } from './sleep.ts';

/** The mailbox, watched for ever: each mail is handed on once it is there, oldest first, and noted when it was taken. */

export interface Arrived {
  uid: number;
  /** In bytes, as the server says. */
  size: number;
  /** When the server took it, in ms since the epoch. */
  at: number;
  /** Its raw bytes; undefined when it was removed meanwhile. */
  open(): Promise<Readable | undefined>;
}

export interface MailboxParts {
  settings: EmailSettings;
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
  /** False: not now, again later. */
  take(mail: Arrived): Promise<boolean>;
  /** Connected, and everything that had come was handed on. */
  onUp(): void;
  /** Shorter waits, for tests. */
  patience?: Partial<typeof PATIENCE>;
  log: Logger;
}

export interface Mailbox {
  /** Resolves when the first attempt to connect has ended, either way. */
  start(): Promise<void>;
  stop(): Promise<void>;
  health(): ChannelHealth;
}

const PATIENCE = {
  commandMs: 45_000,
  /** Of one mail, from its first byte until the host has it. */
  mailMs: 10 * 60_000,
  /** Some servers stop telling of new mail after a while: it is asked for, and IDLE begun anew. */
  lookMs: 4 * 60_000,
};
const LONGEST_BACKOFF_MS = 5 * 60_000;
const CURSOR = 'cursor';

export function createMailbox(parts: MailboxParts): Mailbox {
  const { settings, log } = parts;
  const { commandMs, mailMs, lookMs } = { ...PATIENCE, ...parts.patience };
  const sleep = createSleep();
  let health: ChannelHealth = { state: 'connecting' };
  let client: ImapFlow | undefined;
  let stopped = false;
  let running: Promise<void> | undefined;

  async function run(tried: () => void): Promise<void> {
    for (let failures = 0; !stopped; failures += 1) {
      const begun = performance.now();
      try {
        await watch(() => {
          failures = 0;
          tried();
        });
      } catch (error) {
        const refused = isRefused(error);
        health = refused
          ? { state: 'failed', detail: `${settings.imap.host} doesn't take the password for ${settings.user}.` }
          : { state: 'connecting', detail: `${settings.imap.host}: ${errorText(error)}` };
        if (!stopped) log.warn('the mailbox is away', { host: settings.imap.host, error });
        // A server that takes the connection and breaks it at once isn't asked without pause.
        if (performance.now() - begun > lookMs) failures = 0;
      } finally {
        client?.close();
        client = undefined;
        tried();
      }
      if (!stopped) await sleep.for(backoff(failures, health.state === 'failed'));
    }
  }

  async function watch(up: () => void): Promise<void> {
    const imap = connectionTo(settings);
    client = imap;
    let changed = true;
    let wake = () => {};
    const isOver = () => stopped || !imap.usable;
    const note = () => {
      changed = true;
      wake();
    };
    let fault: unknown;
    imap.on('exists', note);
    imap.on('close', note);
    imap.on('error', (error: unknown) => {
      fault ??= error;
    });
    await within(imap.connect(), commandMs, imap);
    const box = await within(imap.mailboxOpen(settings.folder, { readOnly: true }), commandMs, imap);
    const known = readCursor(parts.recall(CURSOR));
    let cursor = startOf(known, { validity: String(box.uidValidity), next: box.uidNext }, Date.now());
    if (known?.validity !== cursor.validity) {
      if (known) log.warn('the mailbox was made anew: its mail is looked through again', { since: cursor.since });
      parts.remember(CURSOR, writeCursor(cursor));
    }
    health = { state: 'connected' };
    up();
    parts.onUp();
    while (!isOver()) {
      while (changed && !isOver()) {
        changed = false;
        cursor = await catchUp(imap, cursor);
      }
      if (isOver()) break;
      // It ends by itself when the next command is sent.
      imap.idle().catch(() => {});
      const asleep = sleep.begin(lookMs);
      wake = asleep.end;
      if (changed) asleep.end();
      await asleep.done;
      changed = true;
    }
    if (!stopped) throw fault ?? new Error('The server closed the connection.');
  }

  async function catchUp(imap: ImapFlow, from: Cursor): Promise<Cursor> {
    let cursor = from;
    const fetched = imap.fetchAll(`${cursor.uid + 1}:*`, { uid: true, size: true, internalDate: true }, { uid: true });
    // `n:*` also names the last mail when there is none from n on.
    const all = (await within(fetched, commandMs, imap)).filter(({ uid }) => uid > cursor.uid);
    for (const { uid, size = 0, internalDate } of all.toSorted((a, b) => a.uid - b.uid)) {
      const at = new Date(internalDate ?? Date.now()).getTime();
      if (at >= cursor.since) {
        for (let tries = 0; !(await within(handOn(imap, uid, size, at), mailMs, imap)); tries += 1) {
          await sleep.for(backoff(tries, false));
          if (stopped || !imap.usable) return cursor;
        }
      }
      if (stopped) return cursor;
      cursor = { ...cursor, uid, seen: Math.max(cursor.seen, at) };
      parts.remember(CURSOR, writeCursor(cursor));
    }
    return cursor;
  }

  function handOn(imap: ImapFlow, uid: number, size: number, at: number): Promise<boolean> {
    const open = async () => (await imap.download(String(uid), undefined, { uid: true })).content;
    return parts.take({ uid, size, at, open });
  }

  return {
    start() {
      const first = Promise.withResolvers<void>();
      running = run(first.resolve);
      return first.promise;
    },
    async stop() {
      stopped = true;
      sleep.wake();
      client?.close();
      await running;
    },
    health: () => health,
  };
}

export function connectionTo({ imap, user, password }: EmailSettings): ImapFlow {
  return new ImapFlow({
    host: imap.host,
    port: imap.port,
    secure: imap.security === 'tls',
    // Without this it would go on in the clear where a server offers no STARTTLS.
    ...(imap.security === 'starttls' && { doSTARTTLS: true }),
    ...(imap.security === 'none' && { doSTARTTLS: false }),
    auth: { user, pass: password },
    logger: false,
    disableAutoIdle: true,
    // What is compressed can grow without end.
    disableCompression: true,
    connectionTimeout: 30_000,
    greetingTimeout: 20_000,
    socketTimeout: PATIENCE.lookMs + PATIENCE.commandMs,
  });
}

/** A command on a stalled line never ends by itself; closing the line ends it. So does a line that is closed. */
export async function within<T>(work: Promise<T>, ms: number, imap: ImapFlow): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const closed = () => reject(new Error('The server closed the connection.'));
  const timer = setTimeout(() => {
    reject(new Error('The server does not answer.'));
    imap.close();
  }, ms);
  imap.once('close', closed);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    imap.off('close', closed);
  }
}

export function isRefused(error: unknown): boolean {
  return error instanceof Error && 'authenticationFailed' in error && error.authenticationFailed === true;
}

function backoff(failures: number, refused: boolean): number {
  const grown = Math.min(LONGEST_BACKOFF_MS, 500 * 2 ** Math.min(failures, 12));
  // Providers lock an account that is tried too often.
  return refused ? Math.max(grown, 60_000) : grown;
}
