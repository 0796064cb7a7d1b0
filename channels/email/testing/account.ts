import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Acceptance, ChannelHost, InboundEvent } from '../../../src/channels/adapter.ts';
import type { ChannelContext } from '../../../src/channels/plugin.ts';
import { createLogger } from '../../../src/log/index.ts';
import { type Dovecot, PASSWORD, startDovecot } from '../../../test/fakes/mail/dovecot.ts';
import { putMail } from '../../../test/fakes/mail/lmtp.ts';
import { plugin } from '../index.ts';
import { connectionTo } from '../mailbox.ts';
import { readSettings } from '../settings.ts';
import { type SmtpFake, startSmtp } from './smtp.ts';

/** An account at real servers, and a host that notes what it is handed. */

export const ADDRESS = 'bot@here.test';

export interface Account extends AsyncDisposable {
  imap: Dovecot;
  smtp: SmtpFake;
  settings: Record<string, string>;
  context: ChannelContext;
  stored: Map<string, string>;
  put(...raws: (string | Buffer)[]): Promise<void>;
}

/** `shared`: a server that stays when the account is closed. */
export async function openAccount(more: Record<string, string> = {}, shared?: Dovecot): Promise<Account> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-email-'));
  const imap = shared ?? (await startDovecot());
  const smtp = await startSmtp();
  const settings = {
    ADDRESS,
    PASSWORD,
    IMAP_HOST: '127.0.0.1',
    IMAP_PORT: String(imap.port),
    IMAP_SECURITY: 'none',
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    SMTP_SECURITY: 'none',
    AUTHSERV_ID: 'mx.here.test',
    REPLIES_PER_HOUR: '10000',
    ...more,
  };
  const stored = new Map<string, string>();
  const log = createLogger({ folder, secrets: () => [PASSWORD] });
  return {
    imap,
    smtp,
    settings,
    stored,
    context: {
      instance: 'email',
      settings,
      folder,
      recall: (key) => stored.get(key),
      remember: (key, value) => void stored.set(key, value),
      log,
    },
    put: (...raws) => putMail(imap.lmtpPort, settings.ADDRESS, raws),
    async [Symbol.asyncDispose]() {
      await smtp.close();
      if (!shared) await imap[Symbol.asyncDispose]();
      log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface NotingHost extends ChannelHost {
  events: InboundEvent[];
  available(channelType: string): void;
  availables: number;
  answer: (event: InboundEvent) => Acceptance | Promise<Acceptance>;
}

export function createNotingHost(): NotingHost {
  const host: NotingHost = {
    events: [],
    availables: 0,
    answer: () => ({ status: 'stored', messageIds: ['m'] }),
    async accept(event) {
      host.events.push(event);
      return host.answer(event);
    },
    press: async () => '',
    available() {
      host.availables += 1;
    },
  };
  return host;
}

export async function startAdapter(account: Account, host: ChannelHost) {
  const adapter = plugin.create(account.context);
  await adapter.start(host);
  return Object.assign(adapter, { [Symbol.asyncDispose]: () => adapter.stop() });
}

/** Message-IDs in the order that the mailbox has them. While somebody reads, a server may give a later mail its UID first. */
export async function orderOfUids({ settings }: Account): Promise<string[]> {
  const imap = connectionTo(readSettings(settings));
  await imap.connect();
  await imap.mailboxOpen('INBOX', { readOnly: true });
  const all = await imap.fetchAll('1:*', { uid: true, envelope: true });
  await imap.logout();
  return all.toSorted((a, b) => a.uid - b.uid).flatMap(({ envelope }) => envelope?.messageId ?? []);
}

let count = 0;

/** A mail as a person's program writes it; `null` leaves a header out. */
export function rawMail(body: string, headers: Record<string, string | null> = {}): string {
  count += 1;
  const all: Record<string, string | null> = {
    From: 'Ann <ann@there.test>',
    To: ADDRESS,
    Subject: 'Hello',
    Date: 'Fri, 20 Nov 2026 10:00:00 +0000',
    'Message-ID': `<m${process.pid}.${count}@there.test>`,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Transfer-Encoding': '8bit',
    ...headers,
  };
  const head = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `${head.join('\r\n')}\r\n\r\n${body}\r\n`;
}
