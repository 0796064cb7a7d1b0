import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createEmulator } from 'emulate';
import { z } from 'zod';
import type { WebHandler } from '../../src/channels/plugin.ts';
import { SIGNING_SECRET } from '../../test/fakes/slack/state.ts';
import { signedRequest } from '../../test/fakes/slack/webhook.ts';
import { until } from '../../test/support/until.ts';
import { outbound, testContext, testHost } from '../telegram/testing.ts';
import { createSlack } from './adapter.ts';
import { createApi } from './api.ts';
import { QUICK } from './testing/stage.ts';

/** A second opinion on the Web API: Vercel's emulator, which others made. It has no socket mode. */

const BOT_TOKEN = 'xoxb-emulated-bot';
const Chats = z.object({ channels: z.array(z.looseObject({ id: z.string(), name: z.string() })) });
const Users = z.object({ members: z.array(z.looseObject({ id: z.string(), name: z.string() })) });
const History = z.object({ messages: z.array(z.looseObject({ ts: z.string(), text: z.string() })) });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('what goes out stands at the emulator as it was meant, and what comes in is read by its names', async (t) => {
  const emulator = await createEmulator({
    service: 'slack',
    port: await freePort(),
    seed: {
      tokens: { [BOT_TOKEN]: { login: 'andy', scopes: [] } },
      slack: {
        team: { name: 'Emulated', domain: 'emulated' },
        users: [
          { name: 'ann', real_name: 'Ann Example', email: 'ann@example.org' },
          { name: 'andy', real_name: 'Andy', email: 'andy@example.org' },
        ],
        channels: [{ name: 'general', topic: '' }],
      },
    },
  });
  t.after(() => emulator.close());
  const settings = { BOT_TOKEN, APP_TOKEN: SIGNING_SECRET, API_URL: `${emulator.url}/api` };
  const context = testContext(settings, 'slack');
  const host = testHost();
  const door: { handler?: WebHandler } = {};
  const web = {
    serve: async (handler: WebHandler) => {
      door.handler = handler;
      return async () => {};
    },
    url: () => undefined,
  };
  const adapter = createSlack({ ...context, web }, QUICK);
  await adapter.start(host);
  t.after(() => adapter.stop());

  const api = createApi(settings.API_URL, BOT_TOKEN);
  const general =
    (await api.call('conversations.list', {}, Chats)).channels.find((one) => one.name === 'general')?.id ?? '';
  const ann = (await api.call('users.list', {}, Users)).members.find((one) => one.name === 'ann')?.id ?? '';
  const history = async () => (await api.call('conversations.history', { channel: general }, History)).messages;

  const sent = await adapter.deliver(outbound({ platformId: general, text: '**Hello** & [you](https://example.org)' }));
  assert.ok(sent.status === 'sent' && sent.platformMessageId, JSON.stringify(sent));
  assert.equal((await history())[0]?.text, '*Hello* &amp; <https://example.org|you>');
  const edited = await adapter.deliver(
    outbound({ platformId: general, text: 'changed', edits: sent.platformMessageId }),
  );
  assert.equal(edited.status, 'sent', JSON.stringify(edited));
  assert.equal((await history())[0]?.text, 'changed');
  assert.deepEqual(await adapter.react?.(general, null, sent.platformMessageId, '👍'), { status: 'sent' });
  assert.deepEqual(await adapter.react?.(general, null, sent.platformMessageId, '👍'), { status: 'sent' });

  const thread = sent.platformMessageId;
  const reply = await adapter.deliver(outbound({ platformId: general, threadId: thread, text: 'in the thread' }));
  assert.equal(reply.status, 'sent');
  const replies = (await api.call('conversations.replies', { channel: general, ts: thread }, History)).messages;
  assert.deepEqual(
    replies.map(({ text }) => text),
    ['changed', 'in the thread'],
  );

  const path = join(context.folder, 'a-file');
  writeFileSync(path, 'the content');
  const file = await adapter.deliver(
    outbound({ platformId: general, text: 'see', files: [{ name: 'a.txt', path, size: 11 }] }),
  );
  assert.equal(file.status, 'sent', JSON.stringify(file));
  const card = { title: 'May I?', body: 'All.', buttons: [{ data: 'y', label: 'Allow' }] };
  assert.equal((await adapter.deliver(outbound({ platformId: general, text: 'May I?', card }))).status, 'sent');

  const nowhere = await adapter.deliver(outbound({ platformId: 'CNOWHERE' }));
  assert.ok(nowhere.status === 'failed' && !nowhere.retryable);
  assert.match((await adapter.openDm?.(ann)) ?? '', /^D/);

  const event = {
    type: 'message',
    channel: general,
    channel_type: 'channel',
    user: ann,
    text: 'hello there',
    ts: '1790000000.000100',
  };
  const { body, headers } = signedRequest({ type: 'event_callback', event_id: 'Ev1', event });
  const answer = await door.handler?.({ path: '', headers, body: Buffer.from(body) });
  assert.equal(answer?.status, 200);
  await until(() => host.events.length === 1);
  assert.deepEqual([host.events[0]?.senderId, host.events[0]?.chatName], [`slack:${ann}`, 'general']);
  assert.match(host.events[0]?.senderName ?? '', /Ann|ann/);
});
