import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext as T, test } from 'node:test';
import { startDiscordServer } from '@openclaw/crabline';
import { until } from '../../test/support/until.ts';
import { createDiscord } from './adapter.ts';
import { outbound, QUICK, testContext, testHost } from './testing.ts';

/** Against somebody else's idea of Discord. */

const ANN = '100000000000000077';

async function setUp(t: T) {
  const server = await startDiscordServer({ recorderPath: join(testContext({}).folder, 'recorded.jsonl') });
  const { botToken, botUserId, endpoints, adminToken, fixture } = server.manifest;
  const context = testContext({ TOKEN: botToken, API_URL: `${endpoints.apiRoot}/v10` });
  const host = testHost();
  const adapter = createDiscord(context, QUICK);
  t.after(async () => {
    await adapter.stop();
    await server.close();
  });
  await adapter.start(host);
  await until(() => adapter.health?.().state === 'connected');
  const post = async (fields: object) => {
    const response = await fetch(endpoints.adminInboundUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-Crabline-Admin-Token': adminToken },
      body: JSON.stringify({ channelId: fixture.channelId, guildId: fixture.guildId, senderId: ANN, ...fields }),
    });
    assert.ok(response.ok, await response.text());
  };
  return { context, host, adapter, post, botUserId, fixture };
}

test('crabline hands over messages, and what came while nobody listened, once each', async (t) => {
  const { context, host, adapter, post, botUserId, fixture } = await setUp(t);
  await post({ content: `<@${botUserId}> hello`, senderName: 'ann' });
  await until(() => host.events.length === 1);
  const { platformId, senderId, isGroup, isMention } = host.events[0]!;
  assert.deepEqual([platformId, senderId, isGroup, isMention], [fixture.channelId, `discord:${ANN}`, true, true]);
  const thread = '300000000000000088';
  await post({ channelId: thread, parentChannelId: fixture.channelId, content: 'in a thread' });
  await until(() => host.events.length === 2);
  assert.deepEqual([host.events[1]?.platformId, host.events[1]?.threadId], [fixture.channelId, thread]);
  await adapter.stop();
  await post({ content: 'while away' });
  const next = createDiscord(testContext(context.settings, context.values), QUICK);
  t.after(() => next.stop());
  await next.start(host);
  await until(() => host.events.some(({ text }) => text === 'while away'));
  assert.equal(host.events.filter(({ text }) => text === 'while away').length, 1);
});

test('crabline takes texts, files, cards, edits and reactions', async (t) => {
  const { context, adapter, fixture } = await setUp(t);
  const { channelId: platformId } = fixture;
  const sent = await adapter.deliver(outbound({ platformId, text: '**hi** <there> & `code`' }));
  assert.ok(sent.status === 'sent');
  const card = { title: 'Allow?', body: 'it', buttons: [{ label: 'Yes', data: 'y'.repeat(64) }] };
  assert.equal((await adapter.deliver(outbound({ platformId, card }))).status, 'sent');
  const path = join(context.folder, 'a.txt');
  writeFileSync(path, 'a file');
  const files = [{ name: 'a.txt', path, size: 6 }];
  assert.equal((await adapter.deliver(outbound({ platformId, files }))).status, 'sent');
  const edits = sent.platformMessageId!;
  assert.equal((await adapter.deliver(outbound({ platformId, text: 'other', edits }))).status, 'sent');
  assert.deepEqual(await adapter.react?.(platformId, null, edits, '👍'), { status: 'sent' });
  assert.equal((await adapter.deliver(outbound({ platformId, text: 'x'.repeat(2000) }))).status, 'sent');
  const long = await adapter.deliver(outbound({ platformId, text: 'x'.repeat(2001) }));
  assert.ok(long.status === 'failed' && !long.retryable);
});
