import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { plugin } from '../../channels/email/index.ts';
import { openAccount, rawMail } from '../../channels/email/testing/account.ts';
import { readSent } from '../../channels/email/testing/shown.ts';
import { type Dovecot, noDovecot, startDovecot } from '../fakes/mail/dovecot.ts';
import { startProxy } from '../fakes/mail/proxy.ts';
import type { FarEnd, Fault } from './contract.ts';
import { channelContract } from './suite.ts';

/** Dovecot behind a line that breaks, and an SMTP server that goes wrong as it is told. */

const FAULTS = {
  'rate-limit': { kind: 'put-off', code: 450 },
  'server-error': { kind: 'put-off', code: 451 },
  forbidden: { kind: 'refused', code: 550 },
  taken: { kind: 'taken' },
} as const satisfies Record<Fault['kind'], unknown>;

let shared: Dovecot;
let count = 0;

async function farEnd(): Promise<FarEnd> {
  count += 1;
  const proxy = await startProxy(shared.port);
  const own = { ADDRESS: `bot${count}@here.test`, IMAP_PORT: String(proxy.port) };
  const account = await openAccount(own, shared);
  const mails = new Map<string, string>();
  return {
    chats: { dm: 'ann@there.test' },
    settings: account.settings,
    refused: { ...account.settings, PASSWORD: 'not-the-password' },
    async post({ sender, senderName = sender, text, id = randomUUID(), file }) {
      const messageId = `<${id}@there.test>`;
      const part = (head: string, body: string) => `--b\r\n${head}\r\n\r\n${body}\r\n`;
      const body = file
        ? `${part('Content-Type: text/plain', text)}${part(
            `Content-Type: text/plain\r\nContent-Disposition: attachment; filename="${file.name}"\r\nContent-Transfer-Encoding: base64`,
            Buffer.from(file.content).toString('base64'),
          )}--b--`
        : text;
      const raw = rawMail(body, {
        From: `"${senderName}" <${sender}@there.test>`,
        Subject: '',
        'Message-ID': messageId,
        ...(file && { 'Content-Type': 'multipart/mixed; boundary=b' }),
      });
      mails.set(messageId, raw);
      await account.put(raw);
      return messageId;
    },
    repeat: (id) => account.put(mails.get(id) ?? ''),
    unreadable: () => account.put('\u0000 this is no mail'),
    // A program that answers by itself.
    bot: (_chat, text) =>
      account.put(rawMail(text, { From: 'robot@there.test', 'Auto-Submitted': 'auto-replied', Subject: '' })),
    echo: () => account.put(account.smtp.sent.at(-1)?.raw ?? ''),
    async shown() {
      const all = account.smtp.sent.map(async ({ to, raw }) => {
        const { text, references, files } = await readSent(raw);
        return { chat: to[0] ?? '', thread: references[0] ?? null, text, files };
      });
      return Promise.all(all);
    },
    fail({ kind }) {
      account.smtp.fail(FAULTS[kind]);
      return true;
    },
    async drop() {
      proxy.drop();
    },
    async close() {
      await proxy[Symbol.asyncDispose]();
      await account[Symbol.asyncDispose]();
    },
  };
}

const reason = noDovecot();
if (reason !== undefined) test('the contract: email', { skip: reason }, () => {});
else {
  before(async () => {
    shared = await startDovecot();
  });
  after(() => shared[Symbol.asyncDispose]());
  channelContract({
    name: 'email',
    farEnd,
    create: (context) => plugin.create(context),
    cannot: {
      thread: 'a mail has no group chat; its threads are tested in channels/email/adapter.test.ts',
      gone: 'channels/email/adapter.test.ts ends the server and begins it again',
      revoked: 'channels/email/adapter.test.ts has a server that takes the password no more',
    },
  });
}
