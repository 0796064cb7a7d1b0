import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDeadLetters } from '../../admin/dead-letters.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import type { ChannelAdapter, ChannelCapabilities, DeliveryResult, OutboundMessage } from '../channels/adapter.ts';
import { transaction } from '../db/group-commit.ts';
import { createLogger } from '../log/index.ts';
import { createDelivery, type DeliveryQueue } from './index.ts';

/** A far end that answers as told and keeps what reached it. */
function createFarEnd(
  answer: (message: OutboundMessage, call: number) => DeliveryResult | Promise<DeliveryResult>,
  capabilities: Partial<ChannelCapabilities> = {},
) {
  const calls: OutboundMessage[] = [];
  const settled: string[] = [];
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 1e6, buttons: false, edits: false, ...capabilities },
    start: async () => {},
    stop: async () => {},
    deliver: async (message) => {
      calls.push(message);
      return answer(message, calls.length);
    },
    typing: () => {},
    settled: (_platformId, id, outcome) => settled.push(`${id} ${outcome}`),
  };
  return { adapter, calls, settled };
}

interface Setup {
  queue: DeliveryQueue;
  undeliverable: string[];
  say(text: string, platformId?: string): string;
}

function setup(install: Install, adapter: ChannelAdapter | undefined): Setup {
  const undeliverable: string[] = [];
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const queue = createDelivery({
    db: install.db,
    deliveries: install.deliveries,
    adapter: () => adapter,
    boxOf: () => undefined,
    scratch: join(install.root, 'scratch'),
    onDelivered: () => {},
    onUndeliverable(delivery, error) {
      undeliverable.push(`${delivery.messageId} ${error}`);
      return [];
    },
    log: createLogger({ folder: join(install.root, 'logs'), secrets: () => [] }),
  });
  const say = (text: string, platformId = 'local') =>
    transaction(install.db, () =>
      install.takeOver.say(
        { channel_type: 'terminal', platform_id: platformId, thread_id: null },
        null,
        text,
        null,
        Date.now(),
      ),
    );
  return { queue, undeliverable, say };
}

const status = (install: Install, id: string) =>
  install.db.prepare('SELECT status, attempts, error FROM deliveries WHERE message_id = ?').get(id);

test('a chat is served in order, and its end is told after what was said', async () => {
  using install = createInstall();
  const far = createFarEnd(() => ({ status: 'sent', platformMessageId: 'p' }));
  const { queue, say } = setup(install, far.adapter);
  queue.enqueue([say('one'), say('two')]);
  queue.settled({
    messageId: 'm',
    platformMessageId: 'q1',
    outcome: 'reply',
    channel_type: 'terminal',
    platform_id: 'local',
    thread_id: null,
  });
  await until(() => far.settled.length === 1);
  assert.deepEqual(
    far.calls.map((message) => message.text),
    ['one', 'two'],
  );
  assert.deepEqual(far.settled, ['q1 reply']);
});

test('a database that fails leaves the event loop to others, and the reply goes out when it is well again', async () => {
  using install = createInstall();
  const far = createFarEnd(() => ({ status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  const id = say('one');
  install.db.exec("CREATE TRIGGER full BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  queue.enqueue([id]);
  let turns = 0;
  const end = performance.now() + 200;
  await until(() => {
    turns += 1;
    return performance.now() > end;
  });
  assert.ok(turns > 10, `${turns} turns of the event loop`);
  install.db.exec('DROP TRIGGER full');
  await until(() => far.calls.length === 1);
});

test('a chat whose adapter hangs does not hold up another', async () => {
  using install = createInstall();
  const held = Promise.withResolvers<DeliveryResult>();
  const far = createFarEnd((message) => (message.platformId === 'slow' ? held.promise : { status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  queue.enqueue([say('a', 'slow'), say('b', 'fast')]);
  await until(() => far.calls.length === 2);
  held.resolve({ status: 'sent' });
  await queue.stop(1000);
});

test('`sending` is durable before the call, and the same id is sent again after a crash', async () => {
  using install = createInstall();
  const never = createFarEnd(() => new Promise<DeliveryResult>(() => {}));
  const first = setup(install, never.adapter);
  const id = first.say('one');
  first.queue.enqueue([id]);
  await until(() => never.calls.length === 1);
  assert.equal(status(install, id)?.status, 'sending');
  const far = createFarEnd(() => ({ status: 'sent' }));
  const second = setup(install, far.adapter);
  assert.equal(second.queue.resume(), 1);
  await until(() => status(install, id)?.status === 'sent');
  assert.equal(far.calls[0]?.id, never.calls[0]?.id);
});

test('a failure for good is told, and the chat goes on', async () => {
  using install = createInstall();
  const far = createFarEnd((message) =>
    message.text === 'bad' ? { status: 'failed', retryable: false, error: 'forbidden' } : { status: 'sent' },
  );
  const { queue, say, undeliverable } = setup(install, far.adapter);
  const bad = say('bad');
  queue.enqueue([bad, say('good')]);
  await until(() => far.calls.length === 2);
  assert.deepEqual(undeliverable, [`${bad} forbidden`]);
  assert.equal(status(install, bad)?.status, 'failed');
});

test('a passing failure is tried again after the time that the platform asked for, in order', async () => {
  using install = createInstall();
  const times: number[] = [];
  const far = createFarEnd((_message, call) => {
    times.push(performance.now());
    return call === 1 ? { status: 'failed', retryable: true, error: '429', retryAfterMs: 1_200 } : { status: 'sent' };
  });
  const { queue, say } = setup(install, far.adapter);
  queue.enqueue([say('one'), say('two')]);
  await until(() => far.calls.length === 3);
  assert.deepEqual(
    far.calls.map((message) => message.text),
    ['one', 'one', 'two'],
  );
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 1_150);
});

test('an offline channel is waited for without counting tries', async () => {
  using install = createInstall();
  let online = false;
  const far = createFarEnd(() =>
    online ? { status: 'sent' } : { status: 'failed', retryable: true, offline: true, error: 'nobody there' },
  );
  const { queue, say } = setup(install, far.adapter);
  const id = say('one');
  queue.enqueue([id]);
  await until(() => status(install, id)?.error === 'nobody there');
  assert.equal(status(install, id)?.attempts, 0);
  for (let i = 0; i < 20; i += 1) queue.available('terminal');
  online = true;
  queue.available('terminal');
  await until(() => status(install, id)?.status === 'sent');
});

test('a message for a channel that is not there stays queued', async () => {
  using install = createInstall();
  const { queue, say } = setup(install, undefined);
  const id = say('one');
  queue.enqueue([id]);
  await until(() => status(install, id)?.error !== null);
  assert.equal(status(install, id)?.status, 'queued');
});

test('what was said is not said again while its outcome can not be written down', async () => {
  using install = createInstall();
  const far = createFarEnd(() => ({ status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  const id = say('once');
  install.db.exec(
    "CREATE TRIGGER full BEFORE UPDATE ON deliveries WHEN new.status = 'sent' BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
  );
  queue.enqueue([id]);
  await until(() => far.calls.length === 1);
  install.db.exec('DROP TRIGGER full');
  await until(() => status(install, id)?.status === 'sent');
  assert.equal(far.calls.length, 1);
});

test('a row that is queued twice is sent once', async () => {
  using install = createInstall();
  const far = createFarEnd(() => ({ status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  const id = say('once');
  queue.enqueue([id, id]);
  queue.resume();
  await until(() => status(install, id)?.status === 'sent' && queue.depth() === 0);
  assert.equal(far.calls.length, 1);
});

test('a channel that comes back while a delivery fails to it is tried again', async () => {
  using install = createInstall();
  const held = Promise.withResolvers<DeliveryResult>();
  const far = createFarEnd((_message, call) => (call === 1 ? held.promise : { status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  const id = say('one');
  queue.enqueue([id]);
  await until(() => far.calls.length === 1);
  queue.available('terminal');
  held.resolve({ status: 'failed', retryable: true, offline: true, error: 'it left' });
  await until(() => status(install, id)?.status === 'sent');
});

test("a token in a platform's error reaches neither the agent nor the database", async () => {
  using install = createInstall();
  const token = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz';
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 1_000, buttons: false, edits: false },
    start: async () => {},
    stop: async () => {},
    deliver: async () => ({ status: 'failed', retryable: false, error: `fetch of https://x/bot${token}/send failed` }),
    typing: () => {},
  };
  const { queue, undeliverable, say } = setup(install, adapter);
  queue.enqueue([say('hello')]);
  await until(() => undeliverable.length > 0);
  const kept = JSON.stringify(install.db.prepare('SELECT error FROM deliveries').all());
  assert.match(kept, /fetch of/);
  assert.ok(!`${undeliverable}${kept}`.includes(token));
});

const LONG = Array.from({ length: 30 }, (_, index) => `This is sentence number ${index}.`).join(' ');
const UNKNOWN: DeliveryResult = { status: 'unknown', error: 'the connection broke' };

test('a long text comes in parts, each once, and goes on at the one that failed', async () => {
  using install = createInstall();
  const far = createFarEnd(
    (_message, call) =>
      call === 2 ? { status: 'failed', retryable: true, error: '500', retryAfterMs: 1 } : { status: 'sent' },
    { maxTextLength: 300 },
  );
  const { queue, say } = setup(install, far.adapter);
  const id = say(LONG);
  queue.enqueue([id]);
  await until(() => status(install, id)?.status === 'sent');
  assert.equal(far.calls[1]?.text, far.calls[2]?.text);
  assert.equal(far.calls[1]?.id, far.calls[2]?.id);
  const kept = far.calls.filter((_message, index) => index !== 1);
  assert.equal(kept.map(({ text }) => text).join(' '), LONG);
  assert.equal(new Set(kept.map((message) => message.id)).size, kept.length);
});

test('after a crash between two parts the next host goes on with the second', async () => {
  using install = createInstall();
  const hang = createFarEnd(
    (_message, call) => (call === 1 ? { status: 'sent' } : new Promise<DeliveryResult>(() => {})),
    { maxTextLength: 600, idempotencyKey: true },
  );
  const first = setup(install, hang.adapter);
  const id = first.say(LONG);
  first.queue.enqueue([id]);
  await until(() => hang.calls.length === 2);
  const far = createFarEnd(() => ({ status: 'sent' }), { maxTextLength: 600, idempotencyKey: true });
  const second = setup(install, far.adapter);
  second.queue.resume();
  await until(() => status(install, id)?.status === 'sent');
  assert.equal(far.calls[0]?.id, hang.calls[1]?.id);
  assert.equal([hang.calls[0], ...far.calls].map((message) => message?.text).join(' '), LONG);
});

test('what may have arrived is said once more, marked; then it is a dead letter that can be sent again', async () => {
  using install = createInstall();
  let isWell = false;
  const far = createFarEnd(() => (isWell ? { status: 'sent' } : UNKNOWN));
  const { queue, say, undeliverable } = setup(install, far.adapter);
  const id = say('one');
  queue.enqueue([id]);
  await until(() => status(install, id)?.status === 'failed');
  assert.deepEqual(
    far.calls.map(({ text }) => text),
    ['one', '(possibly a repeat)\none'],
  );
  assert.match(undeliverable[0] ?? '', /Nobody knows whether it arrived/);
  assert.equal(createDeadLetters(install.db).deadLetters(10)[0]?.id, id);
  isWell = true;
  assert.ok(transaction(install.db, () => createDeadLetters(install.db).revive(id, Date.now())));
  queue.enqueue([id]);
  await until(() => status(install, id)?.status === 'sent');
  assert.deepEqual(createDeadLetters(install.db).deadLetters(10), []);
});

test('where the platform knows our id, what may have arrived is sent again as it was', async () => {
  using install = createInstall();
  const far = createFarEnd((_message, call) => (call === 1 ? UNKNOWN : { status: 'sent' }), { idempotencyKey: true });
  const { queue, say } = setup(install, far.adapter);
  const id = say('one');
  queue.enqueue([id]);
  await until(() => status(install, id)?.status === 'sent');
  assert.deepEqual(
    far.calls.map((message) => [message.id, message.text]),
    [
      [id, 'one'],
      [id, 'one'],
    ],
  );
});

test('what was on its way at a crash is marked where the platform knows no id', async () => {
  using install = createInstall();
  const never = createFarEnd(() => new Promise<DeliveryResult>(() => {}));
  const first = setup(install, never.adapter);
  const id = first.say('one');
  first.queue.enqueue([id]);
  await until(() => never.calls.length === 1);
  const far = createFarEnd(() => ({ status: 'sent' }));
  setup(install, far.adapter).queue.resume();
  await until(() => far.calls.length === 1);
  assert.equal(far.calls[0]?.text, '(possibly a repeat)\none');
});

test('a platform that asks the whole account to rest is left alone by its other chats, too', async () => {
  using install = createInstall();
  const times: number[] = [];
  const far = createFarEnd((_message, call) => {
    times.push(performance.now());
    return call === 1
      ? { status: 'failed', retryable: true, error: '429', retryAfterMs: 400, account: true }
      : { status: 'sent' };
  });
  const { queue, say } = setup(install, far.adapter);
  queue.enqueue([say('one', 'a')]);
  await until(() => far.calls.length === 1);
  const begun = performance.now();
  queue.enqueue([say('two', 'b')]);
  await until(() => far.calls.length === 2);
  assert.ok(performance.now() - begun > 300, `after ${performance.now() - begun} ms`);
  await queue.stop(100);
});

test('a chat is not sent more than its rate allows', async () => {
  using install = createInstall();
  const far = createFarEnd(() => ({ status: 'sent' }), { rate: { chat: { count: 2, perMs: 400 } } });
  const { queue, say } = setup(install, far.adapter);
  const begun = performance.now();
  queue.enqueue(['one', 'two', 'three', 'four'].map((text) => say(text)));
  await until(() => far.calls.length === 4);
  assert.ok(performance.now() - begun >= 390, `after ${performance.now() - begun} ms`);
  assert.deepEqual(
    far.calls.map(({ text }) => text),
    ['one', 'two', 'three', 'four'],
  );
});

test('what may be left out waits for its turn, and knows whether something else waits behind it', async () => {
  using install = createInstall();
  const held = Promise.withResolvers<DeliveryResult>();
  const far = createFarEnd((_message, call) => (call === 1 ? held.promise : { status: 'sent' }));
  const { queue, say } = setup(install, far.adapter);
  const turns: [isBusy: boolean, calls: number][] = [];
  const between = () =>
    queue.between({ channel_type: 'terminal', platform_id: 'local', thread_id: null }, async ({ isBusy }) => {
      turns.push([isBusy, far.calls.length]);
    });
  queue.enqueue([say('one')]);
  between();
  queue.enqueue([say('two')]);
  between();
  await until(() => far.calls.length === 1);
  held.resolve({ status: 'sent' });
  await until(() => turns.length === 2);
  assert.deepEqual(turns, [
    [true, 1],
    [false, 2],
  ]);
});

test('a card that is closed before it could be shown is not shown: how it ended is said, once', async () => {
  using install = createInstall();
  let isAway = true;
  const far = createFarEnd(
    () => (isAway ? { status: 'failed', retryable: true, offline: true, error: 'away' } : { status: 'sent' }),
    { buttons: true, edits: true },
  );
  const { queue } = setup(install, far.adapter);
  const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
  const card = { title: 'May I?', body: '', buttons: [{ data: 'y', label: 'Yes' }] };
  const say = (text: string, extra: Parameters<typeof install.takeOver.say>[5]) =>
    transaction(install.db, () => install.takeOver.say(place, null, text, null, Date.now(), extra));
  const closed = say('May I?', { card });
  const open = say('And this?', { card });
  queue.enqueue([closed, open]);
  await until(() => far.calls.length === 1);
  const end = say('May I? Yes.', { edits: { message: closed, text: 'May I? All of it. Yes.' } });
  queue.enqueue([end]);
  isAway = false;
  queue.available('terminal');
  await until(() => status(install, end)?.status === 'sent');
  const shown = far.calls.slice(1).map(({ text, card, edits }) => [text, card !== undefined, edits]);
  assert.deepEqual(shown, [
    ['And this?', true, undefined],
    ['May I? Yes.', false, undefined],
  ]);
  await queue.stop(1000);
});
