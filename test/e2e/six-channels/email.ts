import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openAccount, orderOfUids, rawMail } from '../../../channels/email/testing/account.ts';
import { readSent } from '../../../channels/email/testing/shown.ts';
import type { SmtpFault } from '../../../channels/email/testing/smtp.ts';
import { startDovecot } from '../../fakes/mail/dovecot.ts';
import { startProxy } from '../../fakes/mail/proxy.ts';
import { until } from '../../support/until.ts';
import type { Lane, Place, Said } from './lane.ts';

const TRUSTED = { 'Authentication-Results': 'mx.here.test; dmarc=pass header.from=there.test' };
// After 450 to 452 a mail waits a minute, as servers want it that put a stranger off; these are trouble of their own.
const REFUSALS: readonly [SmtpFault, SmtpFault] = [
  { kind: 'put-off', code: 454 },
  { kind: 'late-refusal', code: 471 },
];
const PEOPLE = ['ann', 'bob', 'carol', 'dora'];

/** A real mailbox behind a line that breaks, and a server for what is sent that fails as it is told. */
export async function emailLane(): Promise<Lane> {
  const dovecot = await startDovecot();
  const proxy = await startProxy(dovecot.port);
  const account = await openAccount({ IMAP_PORT: String(proxy.port) }, dovecot);
  const mails = new Map<string, string>();
  const read: Said[] = [];
  const places: Place[] = PEOPLE.flatMap((person) =>
    ['x', 'y'].map((topic) => ({ chat: `${person}@there.test`, thread: `<${person}-${topic}@there.test>` })),
  );
  const begun = new Set<string>();
  let count = 0;
  return {
    account: { instance: 'email', channel: 'email', source: null, settings: account.settings },
    places,
    hasKey: false,
    // What was in the mailbox before the account is no question to it.
    ready: (home) => until(() => hasCursor(home)),
    async send({ chat, thread }, text) {
      count += 1;
      const root = thread ?? '';
      const isFirst = !begun.has(root);
      begun.add(root);
      const id = isFirst ? root : `<six${count}@there.test>`;
      const raw = rawMail(text, {
        ...TRUSTED,
        From: chat,
        Subject: '',
        'Message-ID': id,
        ...(!isFirst && { 'In-Reply-To': root, References: root }),
      });
      mails.set(id, raw);
      await account.put(raw);
      return id;
    },
    repeat: (_place, id) => account.put(mails.get(id) ?? ''),
    disturb(random, mayLose) {
      if (random.chance(0.2)) proxy.drop();
      else if (!mayLose) account.smtp.fail(random.pick(REFUSALS));
      else if (!account.smtp.isArmed()) account.smtp.fail(random.pick([...REFUSALS, { kind: 'taken' }]));
    },
    order: () => orderOfUids({ ...account, settings: { ...account.settings, IMAP_PORT: String(dovecot.port) } }),
    async said() {
      for (const { to, raw } of account.smtp.sent.slice(read.length)) {
        const { text, references } = await readSent(raw);
        read.push({ chat: to[0] ?? '', thread: references[0] ?? null, text });
      }
      return read;
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await account[Symbol.asyncDispose]();
      await dovecot[Symbol.asyncDispose]();
    },
  };
}

function hasCursor(home: string): boolean {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 5000 });
  try {
    return db.prepare("SELECT 1 FROM channel_values WHERE instance = 'email' AND key = 'cursor'").get() !== undefined;
  } finally {
    db.close();
  }
}
