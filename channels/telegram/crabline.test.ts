import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext as T, test } from 'node:test';
import { startTelegramServer } from '@openclaw/crabline';
import { until } from '../../test/support/until.ts';
import { createTelegram } from './adapter.ts';
import { outbound, QUICK, testContext, testHost } from './testing.ts';

/** Against somebody else's idea of Telegram. */

async function setUp(t: T) {
  const recorderPath = join(testContext({}).folder, 'recorded.jsonl');
  const server = await startTelegramServer({ recorderPath });
  const { botToken, endpoints, adminToken } = server.manifest;
  const context = testContext({ TOKEN: botToken, API_URL: endpoints.apiRoot });
  const host = testHost();
  const adapter = createTelegram(context, QUICK);
  t.after(async () => {
    await adapter.stop();
    await server.close();
  });
  const post = async (fields: object) => {
    const response = await fetch(endpoints.adminInboundUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-Crabline-Admin-Token': adminToken },
      body: JSON.stringify(fields),
    });
    assert.ok(response.ok, await response.text());
  };
  return { context, host, adapter, post };
}

test('crabline hands over a message, and what came while nobody listened, once each', async (t) => {
  const { context, host, adapter, post } = await setUp(t);
  await adapter.start(host);
  await post({ chatId: '100', fromId: '100', text: 'hello' });
  await until(() => host.events.length === 1);
  const { platformId, senderId, text, isGroup } = host.events[0]!;
  assert.deepEqual(
    { platformId, senderId, text, isGroup },
    { platformId: '100', senderId: 'telegram:100', text: 'hello', isGroup: false },
  );
  await until(() => [...context.values.keys()].some((key) => key.startsWith('offset:')));
  await adapter.stop();
  await post({ chatId: '100', fromId: '100', text: 'while away' });
  const next = createTelegram(context, QUICK);
  t.after(() => next.stop());
  await next.start(host);
  await until(() => host.events.length === 2);
  assert.equal(host.events[1]?.text, 'while away');
});

test('crabline takes texts, files, cards, edits and reactions', async (t) => {
  const { context, host, adapter } = await setUp(t);
  await adapter.start(host);
  const sent = await adapter.deliver(outbound({ text: '**hi** <there> & `code`\n\n- one\n\n```ts\na < b\n```' }));
  assert.ok(sent.status === 'sent');
  const card = { title: 'Allow?', body: 'it', buttons: [{ label: 'Yes', data: 'y'.repeat(64) }] };
  const asked = await adapter.deliver(outbound({ card }));
  assert.ok(asked.status === 'sent');
  assert.equal((await adapter.deliver(outbound({ text: 'Allowed.', edits: asked.platformMessageId! }))).status, 'sent');
  const path = join(context.folder, 'a.txt');
  writeFileSync(path, 'a file');
  assert.equal((await adapter.deliver(outbound({ files: [{ name: 'a.txt', path, size: 6 }] }))).status, 'sent');
  assert.deepEqual(await adapter.react?.('100', null, sent.platformMessageId!, '👍'), { status: 'sent' });
  assert.equal((await adapter.deliver(outbound({ text: 'x'.repeat(4096) }))).status, 'sent');
  const long = await adapter.deliver(outbound({ text: 'x'.repeat(4097) }));
  assert.deepEqual([long.status, 'retryable' in long && long.retryable], ['failed', false]);
});

test('crabline lets one reader alone have the messages, and both are told', async (t) => {
  const { context, host, adapter } = await setUp(t);
  await adapter.start(host);
  const second = createTelegram(testContext(context.settings), QUICK);
  t.after(() => second.stop());
  await second.start(testHost());
  await until(() => /same token/.test(`${adapter.health?.().detail} ${second.health?.().detail}`));
});
