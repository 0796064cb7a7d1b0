import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChatOut, MessageOutRow, ProcessingAckRow } from '@nanoclaw/protocol';
import { createDeadLetters } from '../../admin/dead-letters.ts';
import type {
  ChannelAdapter,
  ChannelCapabilities,
  DeliveryResult,
  OutboundMessage,
} from '../../src/channels/adapter.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { createLogger } from '../../src/log/index.ts';
import type { OutboundSnapshot } from '../../src/mailbox/outbound-reader.ts';
import { createTakeOver } from '../../src/take-over/index.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { createDrafts, type Drafts } from './index.ts';

/** An answer that is shown while it is written, from what the agent's file says to what stands in the chat. */

const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
const AT = '2026-11-21T08:00:00.000Z';
const IDLE = { phase: 'idle' as const, updated_at: AT };

function setup(install: Install, capabilities: Partial<ChannelCapabilities> = {}, streams = true) {
  /** What stands in the chat, in order, by the platform's id; and each call. */
  const chat = new Map<string, string>();
  const calls: (OutboundMessage & { at: number })[] = [];
  let answer: (message: OutboundMessage) => DeliveryResult | undefined | Promise<DeliveryResult | undefined> = () =>
    undefined;
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 1_000, buttons: true, edits: true, ...capabilities },
    start: async () => {},
    stop: async () => {},
    async deliver(message) {
      calls.push({ ...message, at: performance.now() });
      const scripted = await answer(message);
      if (scripted) return scripted;
      const id = message.edits ?? `p-${message.id}`;
      chat.set(id, message.text);
      return { status: 'sent', platformMessageId: id };
    },
    typing: () => {},
  };
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const { db, messages, deliveries, sessions } = install;
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
  const takeOver = createTakeOver({ db, messages, deliveries, sessions, drafts: () => drafts });
  const open = () =>
    createDelivery({
      db,
      deliveries,
      adapter: () => adapter,
      drafts: () => drafts,
      boxOf: () => undefined,
      scratch: join(install.root, 'scratch'),
      onDelivered: () => {},
      // What the host itself says is told to nobody.
      onUndeliverable: () => [],
      log,
    });
  const watch = () =>
    createDrafts({
      db,
      messages,
      deliveries,
      takeOver,
      capabilities: () => ({ ...adapter.capabilities, streams }),
      between: queue.between,
      log,
    });
  let queue = open();
  let drafts: Drafts = watch();
  const session = transaction(db, () => {
    const made = install.newSession();
    const hello = { text: 'hi', sender: 'Ann' };
    const common = {
      sessionId: made.id,
      kind: 'chat' as const,
      timestamp: AT,
      trigger: true,
      content: hello,
      ...place,
    };
    for (const id of ['m1', 'm2']) messages.addInbound({ id, platformMessageId: `q-${id}`, ...common }, Date.now());
    return made;
  });
  let seq = 1;

  /** What the agent's file says at one look. */
  function look(snapshot: Partial<OutboundSnapshot>): void {
    const whole = { messages: [], acks: [], phase: null, tools: [], more: false, ...snapshot };
    const effects = transaction(db, () => takeOver.apply(session, whole, Date.now()));
    queue.enqueue(effects.deliver);
    if (effects.draft) drafts.grown(effects.draft);
    for (const settled of effects.settled) queue.settled(settled);
  }

  function row(content: ChatOut): MessageOutRow {
    seq += 2;
    const rest = { in_reply_to: 'm1', timestamp: AT, deliver_after: null, kind: 'chat' as const };
    return { id: `msg-${seq}`, seq, ...rest, ...place, content: JSON.stringify(content) };
  }
  const ack = (id: string, status: 'completed' | 'failed'): ProcessingAckRow => ({
    message_id: id,
    status,
    status_changed: AT,
    error: status === 'failed' ? JSON.stringify({ class: 'auth', retryable: false, message: 'no', tries: 0 }) : null,
  });

  return {
    calls,
    session,
    said: () => [...chat.values()],
    answers(next: typeof answer) {
      answer = next;
    },
    writes: (text: string, answers = ['m1']) => look({ draft: JSON.stringify({ answers, text }) }),
    progress: (text: string) => look({ messages: [row({ text, progress: true })] }),
    finishes: (text: string, content: Partial<ChatOut> = {}) =>
      look({ messages: [row({ text, answers: ['m1'], ...content })], acks: [ack('m1', 'completed')], phase: IDLE }),
    fails: () => look({ acks: [ack('m1', 'failed')], phase: IDLE }),
    isSilent: () => look({ acks: [ack('m1', 'completed')], phase: IDLE }),
    /** As after a crash: a new host on the same database. */
    restart() {
      void queue.stop(0);
      queue = open();
      drafts = watch();
      queue.resume();
    },
    rests: () =>
      until(
        () =>
          queue.depth() === 0 &&
          db.prepare("SELECT 1 FROM deliveries WHERE status IN ('queued', 'sending')").get() === undefined,
      ),
  };
}

test('a draft is shown, grows at a reader’s pace, and becomes the answer', async () => {
  using install = createInstall();
  const { writes, finishes, said, calls, rests } = setup(install);
  writes('One');
  await until(() => said().join() === 'One');
  for (let n = 0; n < 10; n += 1) writes(`One, two ${n}`);
  await until(() => said().join() === 'One, two 9');
  assert.equal(calls.length, 2);
  assert.ok((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0) > 1_400, 'too soon');
  finishes('One, two, three.');
  await rests();
  assert.deepEqual(said(), ['One, two, three.']);
  assert.equal(new Set(calls.map(({ id }) => id)).size, 3);
  assert.ok(calls.every(({ progress }) => !progress));
});

test('what is said on the way takes its place; what is written then is a new one', async () => {
  using install = createInstall();
  const { writes, progress, finishes, said, rests } = setup(install);
  writes('I look');
  await until(() => said().length === 1);
  progress('I look into it.');
  writes('It is');
  await until(() => said().length === 2);
  finishes('It is hi.');
  await rests();
  assert.deepEqual(said(), ['I look into it.', 'It is hi.']);
});

test('an answer longer than a message begins in the draft’s place and goes on below', async () => {
  using install = createInstall();
  const { writes, finishes, said, rests } = setup(install, { maxTextLength: 40 });
  const long = 'This is a sentence. '.repeat(6).trim();
  writes(long);
  await until(() => said().length === 1);
  assert.match(said()[0] ?? '', / …$/);
  assert.ok((said()[0] ?? '').length <= 40);
  finishes(long);
  await rests();
  assert.equal(said().join(' '), long);
  assert.ok(said().length > 2);
});

test('where a draft can not be changed any more, the answer is said anew', async () => {
  using install = createInstall();
  const { writes, finishes, said, answers, rests } = setup(install);
  writes('One');
  await until(() => said().length === 1);
  answers(({ edits }) => (edits ? { status: 'failed', retryable: false, error: 'too old' } : undefined));
  finishes('One, two.');
  await rests();
  assert.deepEqual(said(), ['One', 'One, two.']);
});

test('an answer that is finished before its draft was shown is said once', async () => {
  using install = createInstall();
  const { writes, progress, finishes, said, calls, answers, rests } = setup(install);
  const held = Promise.withResolvers<undefined>();
  answers(({ text }) => (text === 'before' ? held.promise : undefined));
  progress('before');
  await until(() => calls.length === 1);
  writes('One');
  finishes('One, two.');
  held.resolve(undefined);
  await rests();
  assert.deepEqual(said(), ['before', 'One, two.']);
});

test('a draft that could not be shown is no loss: it is not tried again, and nobody is told', async () => {
  using install = createInstall();
  const { writes, finishes, said, calls, answers, rests } = setup(install);
  answers(() => ({ status: 'failed', retryable: true, error: '429', retryAfterMs: 60_000 }));
  writes('One');
  await rests();
  answers(() => undefined);
  writes('One, tw');
  finishes('One, two.');
  await rests();
  assert.deepEqual(said(), ['One, two.']);
  assert.equal(calls.length, 2);
  assert.deepEqual(createDeadLetters(install.db).deadLetters(10), []);
});

test('a turn that fails, or ends without a word, closes its draft; what was never shown needs no end', async () => {
  for (const [end, after] of [
    ['fails', 2],
    ['isSilent', 1],
  ] as const) {
    using install = createInstall();
    const stage = setup(install);
    stage.writes('One, two');
    await until(() => stage.said().length === 1);
    stage[end]();
    await stage.rests();
    assert.equal(stage.said()[0], 'One, two\n\n(broken off)');
    assert.equal(stage.said().length, after);
    using other = createInstall();
    const early = setup(other);
    const held = Promise.withResolvers<undefined>();
    early.answers(({ text }) => (text === 'before' ? held.promise : undefined));
    early.progress('before');
    early.writes('One, two');
    early[end]();
    held.resolve(undefined);
    await early.rests();
    assert.ok(!early.said().join().includes('One'), early.said().join());
  }
});

test('one that is broken off shows no more than it did, in one message', async () => {
  using install = createInstall();
  const { writes, isSilent, said, rests } = setup(install, { maxTextLength: 60 });
  writes('One two three. '.repeat(20));
  await until(() => said().length === 1);
  isSilent();
  await rests();
  assert.deepEqual(said(), ['One two three. One two three. …\n\n(broken off)']);
});

test('one whose message has ended is not gone on with: what is said since stands below it', async () => {
  for (const isShown of [true, false]) {
    using install = createInstall();
    const { writes, finishes, said, session, rests } = setup(install);
    writes('One', ['m1']);
    await until(() => said().length === 1);
    transaction(install.db, () => install.messages.settle(session.id, 'm1', 'completed', 'stopped', Date.now()));
    if (isShown) writes('Of the oth', ['m2']);
    finishes('Of the other.', { answers: ['m2'] });
    await rests();
    assert.deepEqual(said(), ['One\n\n(broken off)', 'Of the other.']);
  }
});

test('it takes no place in the rates that something else needs', async () => {
  using install = createInstall();
  const { progress, writes, finishes, said, calls, rests } = setup(install, {
    rate: { chat: { count: 2, perMs: 600_000 } },
  });
  progress('I look');
  await until(() => said().length === 1);
  writes('One');
  await rests();
  finishes('One, two.');
  await rests();
  assert.deepEqual(
    calls.map(({ text }) => text),
    ['I look', 'One, two.'],
  );
});

test('/stop closes it with the next look', async () => {
  using install = createInstall();
  const { writes, said, session, rests } = setup(install);
  writes('One');
  await until(() => said().length === 1);
  transaction(install.db, () => install.messages.settle(session.id, 'm1', 'completed', 'stopped', Date.now()));
  writes('One, two');
  await rests();
  assert.deepEqual(said(), ['One\n\n(broken off)']);
});

test('after a crash of the host the same draft goes on, and what it became is not said twice', async () => {
  using install = createInstall();
  const { writes, finishes, said, restart, rests, answers, calls } = setup(install, { idempotencyKey: true });
  writes('One');
  await until(() => said().length === 1);
  restart();
  writes('One again');
  await until(() => said().join() === 'One again');
  // It dies while the answer is on its way to its place.
  answers(() => new Promise(() => {}));
  finishes('One, two.');
  await until(() => calls.at(-1)?.text === 'One, two.');
  answers(() => undefined);
  restart();
  await rests();
  assert.deepEqual(said(), ['One, two.']);
});

for (const idempotencyKey of [true, false]) {
  test(`a draft that was on its way at a crash, with${idempotencyKey ? '' : 'out'} a key`, async () => {
    using install = createInstall();
    const { writes, finishes, said, restart, rests, answers, calls } = setup(install, { idempotencyKey });
    answers(() => new Promise(() => {}));
    writes('One');
    await until(() => calls.length === 1);
    finishes('One, two.');
    answers(() => undefined);
    restart();
    await rests();
    // Found again by its key and changed; without one nobody can tell whether it stands there.
    assert.deepEqual(said(), ['One, two.']);
    assert.deepEqual(
      calls.slice(1).map(({ text, edits }) => [text, edits !== undefined]),
      idempotencyKey
        ? [
            ['One', false],
            ['One, two.', true],
          ]
        : [['One, two.', false]],
    );
  });
}

test('nothing grows on a channel that shows changes beside what they change, nor for a message that nobody awaits', async () => {
  using install = createInstall();
  const { writes, finishes, calls, rests } = setup(install, {}, false);
  writes('One');
  finishes('One, two.');
  await rests();
  assert.deepEqual(
    calls.map(({ text }) => text),
    ['One, two.'],
  );
  using other = createInstall();
  const stage = setup(other);
  stage.writes('One', ['m9', 'sys-1']);
  await stage.rests();
  assert.deepEqual(stage.calls, []);
});

test('a draft that was on its way at a crash is found again once its platform is back', async () => {
  using install = createInstall();
  const { writes, finishes, said, restart, rests, answers, calls } = setup(install, { idempotencyKey: true });
  writes('One');
  await until(() => said().length === 1);
  writes('One, two');
  // It arrived, and nobody knows: the host died before it could note that.
  install.db.exec("UPDATE deliveries SET status = 'sending', platform_message_id = NULL");
  answers(() => ({ status: 'failed', retryable: true, error: 'The platform is away.' }));
  restart();
  await until(() => calls.length === 2);
  finishes('One, two, three.');
  answers(() => undefined);
  await rests();
  assert.deepEqual(said(), ['One, two, three.']);
});
