import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext as T, test } from 'node:test';
import { createTelegramAdapter } from '@chat-adapter/telegram';
import { startTelegramServer } from '../../test/fakes/telegram/server.ts';
import { outbound, testContext, testHost } from '../telegram/testing.ts';
import { createBridge } from './bridge.ts';

/** With a real adapter of the SDK, as a codec, against a scripted platform. */

const SECRET = 'a-secret-of-the-webhook';
const ANN = { id: 100, is_bot: false, first_name: 'Ann' };
const DM = { id: 100, type: 'private', first_name: 'Ann' };
const GROUP = { id: -1001, type: 'supergroup', title: 'Family' };
const quiet = { child: () => quiet, debug() {}, info() {}, warn() {}, error() {} };

async function setUp(t: T) {
  const server = await startTelegramServer();
  const context = testContext(server.settings);
  const host = testHost();
  const adapter = createTelegramAdapter({
    botToken: server.settings.TOKEN,
    apiUrl: server.url,
    mode: 'webhook',
    secretToken: SECRET,
    logger: quiet,
  });
  const bridge = createBridge({
    channelType: 'telegram-sdk',
    platform: 'telegram',
    adapter,
    placeOf(id) {
      const [, platformId = '', threadId = null] = id.split(':');
      return { platformId, threadId };
    },
    threadIdOf: (platformId, threadId) => ['telegram', platformId, ...(threadId === null ? [] : [threadId])].join(':'),
    folder: join(context.folder, 'files'),
    maxFileBytes: 1024,
    log: context.log,
  });
  await bridge.start(host);
  t.after(async () => {
    await bridge.stop();
    await server.close();
  });
  const update = (fields: object) =>
    bridge.receive(
      new Request('http://bridge.invalid/', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
        body: JSON.stringify({ update_id: 1, ...fields }),
      }),
    );
  const message = (fields: object) =>
    update({ message: { message_id: 5, date: 1_700_000_000, chat: DM, from: ANN, ...fields } });
  return { server, host, context, bridge, update, message };
}

test('an event is answered after the host has taken it', async (t) => {
  const { host, message } = await setUp(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  host.onAccept = () => promise;
  let answered = false;
  const receiving = message({ text: 'hello' }).then((response) => {
    answered = true;
    return response;
  });
  await new Promise((next) => setImmediate(next));
  assert.equal(answered, false);
  resolve();
  assert.equal((await receiving).status, 200);
  const { platformId, threadId, senderId, senderName, text, isMention, isGroup } = host.events[0]!;
  assert.deepEqual(
    { platformId, threadId, senderId, senderName, text, isMention, isGroup },
    {
      platformId: '100',
      threadId: null,
      senderId: 'telegram:100',
      senderName: 'Ann',
      text: 'hello',
      isMention: true,
      isGroup: false,
    },
  );
});

test('what the host refuses for now is not answered, and taken when it comes again', async (t) => {
  const { host, message } = await setUp(t);
  host.answers.push({ status: 'refused', code: 'NC_DISK_FULL', sentence: 'No room.' });
  await assert.rejects(message({ text: 'hello' }), /NC_DISK_FULL/);
  assert.equal((await message({ text: 'hello' })).status, 200);
  assert.deepEqual(
    host.events.map(({ platformMessageId }) => platformMessageId),
    [host.events[0]?.platformMessageId, host.events[0]?.platformMessageId],
  );
});

test('many at once, in one chat and several topics, are all taken', async (t) => {
  const { host, update } = await setUp(t);
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      update({
        update_id: index,
        message: {
          message_id: index,
          date: 1,
          chat: GROUP,
          from: ANN,
          text: `${index}`,
          message_thread_id: index % 3,
          is_topic_message: true,
        },
      }),
    ),
  );
  assert.equal(new Set(host.events.map(({ text }) => text)).size, 30);
  assert.ok(host.events.every(({ isGroup, isMention }) => isGroup && !isMention));
});

test('a mention is one by its name; files come along, too large ones are said', async (t) => {
  const { server, host, context, message } = await setUp(t);
  await message({ chat: GROUP, text: 'hi @andytestbot, all well?' });
  assert.equal(host.events[0]?.isMention, true);
  let content = '';
  host.onAccept = ({ attachments = [] }) => {
    content = attachments.map(({ localPath }) => readFileSync(localPath, 'utf8')).join();
  };
  await message({
    message_id: 6,
    caption: 'see',
    document: { ...server.file(Buffer.from('in it')), file_unique_id: 'u', file_name: 'a.txt' },
  });
  assert.equal(content, 'in it', context.logged.join('\n') + host.events.map(({ text }) => text).join());
  await message({
    message_id: 7,
    document: { ...server.file(Buffer.alloc(2048)), file_unique_id: 'v', file_name: 'b.bin' },
  });
  assert.match(host.events[2]?.text ?? '', /b\.bin is missing/);
});

test('texts, cards, edits and files go out, and a failure has its kind', async (t) => {
  const { server, bridge, context } = await setUp(t);
  const sent = await bridge.deliver(outbound({ text: 'hello' }));
  assert.ok(sent.status === 'sent' && sent.platformMessageId);
  assert.equal((await bridge.deliver(outbound({ text: 'better', edits: sent.platformMessageId }))).status, 'sent');
  assert.match(server.sent[0]?.text ?? '', /better/);
  await bridge.deliver(outbound({ card: { title: 'May I?', body: 'it', buttons: [{ label: 'Yes', data: 'yes' }] } }));
  assert.equal(server.sent[1]?.buttons[0]?.text, 'Yes');
  const path = join(context.folder, 'a.txt');
  writeFileSync(path, 'a file');
  await bridge.deliver(outbound({ text: 'with it', files: [{ name: 'a.txt', path, size: 6 }] }));
  assert.ok(server.sent.some(({ files }) => files[0]?.name === 'a.txt'));
  server.faults.push({
    method: /send/,
    fault: { kind: 'refuse', code: 429, description: 'Too Many Requests', parameters: { retry_after: 7 } },
  });
  const limited = await bridge.deliver(outbound());
  assert.ok(limited.status === 'failed' && limited.retryAfterMs === 7000, JSON.stringify(limited));
  server.faults.push({ method: /send/, fault: { kind: 'taken' } });
  assert.equal((await bridge.deliver(outbound())).status, 'unknown');
});

test('a press comes with what its button carries', async (t) => {
  const { server, host, bridge, update } = await setUp(t);
  await bridge.deliver(outbound({ card: { title: 'May I?', body: 'it', buttons: [{ label: 'Yes', data: 'yes:1' }] } }));
  const { id, buttons } = server.sent[0]!;
  await update({
    callback_query: {
      id: 'q',
      from: ANN,
      chat_instance: 'c',
      data: buttons[0]?.callback_data,
      message: { message_id: id, date: 1, chat: DM },
    },
  });
  assert.deepEqual(
    [host.presses[0]?.data, host.presses[0]?.senderId, host.presses[0]?.platformId],
    ['yes:1', 'telegram:100', '100'],
  );
});
