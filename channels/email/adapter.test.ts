import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OutboundMessage } from '../../src/channels/adapter.ts';
import { noDovecot } from '../../test/fakes/mail/dovecot.ts';
import { startProxy } from '../../test/fakes/mail/proxy.ts';
import { until } from '../../test/support/until.ts';
import { plugin } from './index.ts';
import { createMailbox } from './mailbox.ts';
import { readSettings } from './settings.ts';
import { ADDRESS, createNotingHost, openAccount, orderOfUids, rawMail, startAdapter } from './testing/account.ts';

const skip = noDovecot() ?? false;

const message = (more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  id: 'd1',
  platformId: 'ann@there.test',
  threadId: null,
  text: 'An answer',
  progress: false,
  files: [],
  ...more,
});

test('a mail comes in within a second of quiet, and its answer goes into the same thread', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using adapter = await startAdapter(account, host);
  await account.put(rawMail('How are you?', { 'Message-ID': '<first@there.test>', Subject: 'A question' }));
  await until(() => host.events.length === 1, 5_000);
  const [event] = host.events;
  assert.equal(event?.text, 'Subject: A question\n\nHow are you?');
  assert.equal(event?.platformId, 'ann@there.test');
  assert.equal(event?.threadId, '<first@there.test>');
  assert.equal(event?.senderId, 'email-unverified:ann@there.test');

  const result = await adapter.deliver(message({ threadId: '<first@there.test>', text: 'Well, **thanks**.' }));
  assert.equal(result.status, 'sent');
  const [sent] = account.smtp.sent;
  assert.deepEqual(sent?.to, ['ann@there.test']);
  assert.match(sent?.raw ?? '', /^Subject: Re: A question\r?$/m);
  assert.match(sent?.raw ?? '', /^In-Reply-To: <first@there.test>\r?$/m);
  assert.match(sent?.raw ?? '', /^Auto-Submitted: auto-generated\r?$/m);
  assert.match(sent?.raw ?? '', /<strong>thanks<\/strong>/);
  const own = /^Message-ID: (<nanoclaw\..*>)\r?$/m.exec(sent?.raw ?? '')?.[1];
  assert.ok(own);

  // Some programs name nothing but the mail that they answer.
  await account.put(rawMail('And you?', { 'In-Reply-To': own, Subject: 'Re: A question' }));
  await until(() => host.events.length === 2, 5_000);
  assert.equal(host.events[1]?.threadId, '<first@there.test>');
  assert.equal(host.events[1]?.text, 'And you?');
});

test('an answer goes to the mail that it answers, and otherwise to the newest', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using adapter = await startAdapter(account, host);
  const root = { 'In-Reply-To': '<one@there.test>', References: '<one@there.test>' };
  await account.put(
    rawMail('one', { 'Message-ID': '<one@there.test>' }),
    rawMail('two', { 'Message-ID': '<two@there.test>', ...root }),
  );
  await until(() => host.events.length === 2, 30_000);
  const said = message({ threadId: '<one@there.test>' });
  assert.equal((await adapter.deliver({ ...said, quotes: '<one@there.test>' })).status, 'sent');
  assert.equal((await adapter.deliver({ ...said, id: 'd2' })).status, 'sent');
  assert.deepEqual(
    account.smtp.sent.map(({ raw }) => /^In-Reply-To: (.*?)\r?$/m.exec(raw)?.[1]),
    ['<one@there.test>', '<two@there.test>'],
  );
});

test('what our own server vouches for makes a sender known', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using _ = await startAdapter(account, host);
  await account.put(
    rawMail('/status', { 'Authentication-Results': 'mx.here.test; dkim=pass header.d=there.test' }),
    rawMail('forged', { Subject: '', 'Authentication-Results': 'mx.evil.test; dmarc=pass header.from=there.test' }),
  );
  await until(() => host.events.length === 2);
  assert.deepEqual(
    host.events.map(({ senderId, text }) => [senderId, text]),
    [
      ['email:ann@there.test', '/status'],
      ['email-unverified:ann@there.test', 'forged'],
    ],
  );
});

test('mail that came while nobody was there comes once, oldest first', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await account.put(rawMail('from before there was an assistant'));
  const first = await startAdapter(account, host);
  await first.stop();
  await account.put(...['one', 'two', 'three'].map((text) => rawMail(text, { Subject: '' })));
  const second = await startAdapter(account, host);
  await until(() => host.events.length === 3);
  await account.put(rawMail('four', { Subject: '' }));
  await until(() => host.events.length === 4);
  await second.stop();
  assert.deepEqual(
    host.events.map(({ text }) => text),
    ['one', 'two', 'three', 'four'],
  );
});

test('a mail that the host did not take comes again, and nothing overtakes it', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  let refusals = 2;
  host.answer = () => {
    refusals -= 1;
    return refusals >= 0
      ? { status: 'refused', code: 'NC_DISK_FULL', sentence: 'There is no room.' }
      : { status: 'stored', messageIds: ['m'] };
  };
  await using _ = await startAdapter(account, host);
  await account.put(rawMail('one', { Subject: '' }), rawMail('two', { Subject: '' }));
  await until(() => host.events.length === 4);
  assert.deepEqual(
    host.events.map(({ text }) => text),
    ['one', 'one', 'one', 'two'],
  );
});

test('the server goes away and comes back', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using adapter = await startAdapter(account, host);
  assert.equal(adapter.health?.().state, 'connected');
  await account.imap.end();
  await until(() => adapter.health?.().state === 'connecting');
  await account.imap.begin();
  await account.put(rawMail('are you there?', { Subject: '' }));
  await until(() => host.events.length === 1);
  assert.equal(adapter.health?.().state, 'connected');
});

test('two hundred mails at once come each once, in the order of their UIDs', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using _ = await startAdapter(account, host);
  const ids = Array.from({ length: 200 }, (_, i) => `<mail.${i}@there.test>`);
  await account.put(...ids.map((id) => rawMail('one of many', { 'Message-ID': id })));
  await until(() => host.events.length === 200, 30_000);
  // While somebody reads, the server may give a UID to a later mail first: its order counts, not ours.
  const order = await orderOfUids(account);
  assert.deepEqual(order.toSorted(), ids.toSorted());
  assert.deepEqual(
    host.events.map(({ platformMessageId }) => platformMessageId),
    order,
  );
});

test('a mailbox that was made anew gives each mail once more, under the same id', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  const first = await startAdapter(account, host);
  await account.put(rawMail('one', { Subject: '' }));
  await until(() => host.events.length === 1);
  await first.stop();
  const cursor = JSON.parse(account.stored.get('cursor') ?? '');
  account.stored.set('cursor', JSON.stringify({ ...cursor, validity: '1', uid: 900 }));
  await using _ = await startAdapter(account, host);
  await until(() => host.events.length === 2);
  assert.equal(host.events[1]?.platformMessageId, host.events[0]?.platformMessageId);
});

test('a file comes in as it is, under the name that it has', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  let content: Buffer | undefined;
  host.answer = ({ attachments }) => {
    content = readFileSync(attachments?.[0]?.localPath ?? '');
    return { status: 'stored', messageIds: ['m'] };
  };
  await using _ = await startAdapter(account, host);
  const bytes = Buffer.alloc(3_000_000, 'abcdefg\n');
  const base64 = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
  const parts = [
    '--b\r\nContent-Type: text/plain\r\n\r\nsee there',
    `--b\r\nContent-Type: application/pdf; name*=utf-8''%C3%BCbersicht.pdf\r\nContent-Disposition: attachment;\r\n filename*=utf-8''..%2F%C3%BCbersicht.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}`,
    '--b--',
  ];
  await account.put(rawMail(parts.join('\r\n'), { 'Content-Type': 'multipart/mixed; boundary=b', Subject: '' }));
  await until(() => content !== undefined);
  assert.ok(content?.equals(bytes));
  const [file] = host.events[0]?.attachments ?? [];
  assert.deepEqual([file?.name, file?.size, file?.mimeType], ['übersicht.pdf', bytes.length, 'application/pdf']);
});

test('what becomes of a mail that is sent', { skip }, async (t) => {
  await using account = await openAccount();
  await using adapter = await startAdapter(account, createNotingHost());
  const { smtp } = account;
  await t.test('refused for good', async () => {
    smtp.fail({ kind: 'refused', code: 550 });
    const result = await adapter.deliver(message());
    assert.deepEqual([result.status, result.status === 'failed' && result.retryable], ['failed', false]);
  });
  await t.test('put off', async () => {
    smtp.fail({ kind: 'put-off', code: 451 });
    const result = await adapter.deliver(message());
    assert.deepEqual([result.status, result.status === 'failed' && result.retryable], ['failed', true]);
  });
  await t.test('refused after all of it', async () => {
    smtp.fail({ kind: 'late-refusal', code: 552 });
    const result = await adapter.deliver(message());
    assert.deepEqual([result.status, result.status === 'failed' && result.retryable], ['failed', false]);
  });
  await t.test('taken, and the answer is lost', async () => {
    smtp.fail({ kind: 'taken' });
    assert.equal((await adapter.deliver(message({ id: 'lost' }))).status, 'unknown');
    assert.equal(smtp.sent.length, 1);
  });
  await t.test('each attempt has the same id', async () => {
    await adapter.deliver(message({ id: 'lost' }));
    const ids = smtp.sent.map(({ raw }) => /^Message-ID: .*$/m.exec(raw)?.[0]);
    assert.equal(ids.length, 2);
    assert.equal(ids[0], ids[1]);
  });
  await t.test('progress is not mailed', async () => {
    assert.equal((await adapter.deliver(message({ progress: true }))).status, 'sent');
    assert.equal(smtp.sent.length, 2);
  });
  await t.test('to nobody but the chat, whatever its name is', async () => {
    for (const platformId of ['Ann@there.test', 'a@b.test, c@d.test', 'a@b.test\r\nBcc: c@d.test', 'x', ADDRESS]) {
      const result = await adapter.deliver(message({ platformId }));
      assert.equal(result.status === 'failed' && result.retryable, false, platformId);
    }
    assert.equal(smtp.sent.length, 2);
  });
  await t.test('no header comes from a text', async () => {
    await adapter.deliver(message({ id: 'x', text: 'Hi\r\u2028Bcc: evil@evil.test\r\n\r\nBcc: evil@evil.test' }));
    const head = smtp.sent.at(-1)?.raw.split(/\r?\n\r?\n/)[0] ?? '';
    assert.doesNotMatch(head, /^Bcc/im);
    assert.deepEqual(smtp.sent.at(-1)?.to, ['ann@there.test']);
  });
});

test('a server that is away, or locked: what waits is sent when it is back', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  account.smtp.locked = true;
  await using adapter = await startAdapter(account, host);
  assert.equal(adapter.health?.().state, 'failed');
  const before = host.availables;
  const result = await adapter.deliver(message());
  assert.deepEqual([result.status, result.status === 'failed' && result.offline], ['failed', true]);
  assert.equal(adapter.health?.().state, 'failed');
  account.smtp.locked = false;
  await until(() => host.availables > before);
  assert.equal(adapter.health?.().state, 'connected');
  assert.equal((await adapter.deliver(message())).status, 'sent');
});

test('a brake', { skip }, async () => {
  await using account = await openAccount({ REPLIES_PER_HOUR: '2' });
  await using adapter = await startAdapter(account, createNotingHost());
  await adapter.deliver(message({ id: 'a' }));
  await adapter.deliver(message({ id: 'b' }));
  const result = await adapter.deliver(message({ id: 'c' }));
  assert.ok(result.status === 'failed' && result.retryable && (result.retryAfterMs ?? 0) > 3_500_000);
  assert.equal((await adapter.deliver(message({ id: 'd', platformId: 'bob@there.test' }))).status, 'sent');
});

test('wrong credentials are a matter for a person', { skip }, async () => {
  await using account = await openAccount({ PASSWORD: 'wrong' });
  await using adapter = await startAdapter(account, createNotingHost());
  assert.equal(adapter.health?.().state, 'failed');
  const { ok, sentence } = await plugin.test(account.context);
  assert.deepEqual([ok, sentence], [false, `127.0.0.1 doesn't take the password for ${ADDRESS}.`]);
  assert.doesNotMatch(sentence, /wrong/);
});

test('ncl channels test', { skip }, async () => {
  await using account = await openAccount();
  const { meet, ...tested } = await plugin.test(account.context);
  assert.deepEqual(tested, { ok: true, sentence: `It reads and sends as ${ADDRESS}.` });
  assert.match(meet ?? '', new RegExp(ADDRESS));
  await account.smtp.close();
  assert.equal((await plugin.test(account.context)).ok, false);
});

test('no file of a mail that was dropped stays', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using _ = await startAdapter(account, host);
  const body = '--b\r\nContent-Type: image/png\r\n\r\nxyz\r\n--b--';
  await account.put(
    rawMail(body, { 'Content-Type': 'multipart/mixed; boundary=b', 'List-Id': '<news.there.test>' }),
    rawMail('last', { Subject: '' }),
  );
  await until(() => host.events.length === 1);
  assert.equal(host.events[0]?.text, 'last');
  assert.ok(existsSync(join(account.context.folder, 'incoming')));
  assert.deepEqual(readdirSync(join(account.context.folder, 'incoming')), []);
});

test('a line that falls silent is noticed, and what came meanwhile comes in', { skip }, async () => {
  await using account = await openAccount();
  await using proxy = await startProxy(account.imap.port);
  const uids: number[] = [];
  const mailbox = createMailbox({
    ...account.context,
    settings: readSettings({ ...account.settings, IMAP_PORT: String(proxy.port) }),
    take: async ({ uid, open }) => {
      (await open())?.resume();
      uids.push(uid);
      return true;
    },
    onUp() {},
    patience: { lookMs: 300, commandMs: 1_000 },
  });
  await mailbox.start();
  await account.put(rawMail('one'));
  await until(() => uids.length === 1);
  proxy.stall();
  await account.put(rawMail('two'));
  await until(() => uids.length === 2);
  await mailbox.stop();
  assert.deepEqual(new Set(uids).size, 2);
});

test('a mail that nobody can read is passed over, and the next one is heard', { skip }, async () => {
  await using account = await openAccount();
  const host = createNotingHost();
  await using _ = await startAdapter(account, host);
  const parts = '--b\r\nContent-Type: image/png\r\n\r\nx\r\n'.repeat(40_000);
  await account.put(
    rawMail(`${parts}--b--`, { 'Content-Type': 'multipart/mixed; boundary=b' }),
    rawMail('', { Subject: null }),
    rawMail('the next', { Subject: '' }),
  );
  host.answer = ({ text }) =>
    text === ''
      ? { status: 'refused', code: 'NC_MESSAGE_EMPTY', sentence: 'The message is empty.' }
      : { status: 'stored', messageIds: ['m'] };
  await until(() => host.events.some(({ text }) => text === 'the next'));
  assert.deepEqual(readdirSync(join(account.context.folder, 'incoming')), []);
  assert.equal(host.events.length, 2);
});
