import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChatOut, MessageOutRow } from '@nanoclaw/protocol';
import { createActivities } from '../../src/activity.ts';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { createLogger } from '../../src/log/index.ts';
import type { OutboundSnapshot } from '../../src/mailbox/outbound-reader.ts';
import { createTakeOver, type Effects } from '../../src/take-over/index.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { createDrafts, type Drafts } from '../drafts/index.ts';
import { createLines } from './lines.ts';

/** A turn that is silent, second by second, on a clock of the test's own; all that follows is real. */

const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
const AT = '2026-11-21T08:00:00.000Z';
const MINUTE = 60_000;

function setup(
  install: Install,
  { edits = true, streams = true, live = true, kind = 'chat' as 'chat' | 'task' | 'webhook', trigger = true } = {},
) {
  const chat = new Map<string, string>();
  const order: string[] = [];
  let refuses = false;
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 1_000, buttons: true, edits, streams, live },
    start: async () => {},
    stop: async () => {},
    async deliver(message) {
      if (refuses) return { status: 'failed', retryable: true, error: '429', retryAfterMs: 60_000 };
      const id = message.edits ?? `p-${message.id}`;
      chat.set(id, message.text);
      order.push(message.text);
      return { status: 'sent', platformMessageId: id };
    },
    typing: () => {},
  };
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const { db, messages, deliveries, sessions } = install;
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => ['the-secret-of-this-install'] });
  const takeOver = createTakeOver({ db, messages, deliveries, sessions, drafts: () => drafts });
  const queue = createDelivery({
    db,
    deliveries,
    adapter: () => adapter,
    drafts: () => drafts,
    boxOf: () => undefined,
    scratch: join(install.root, 'scratch'),
    onDelivered: () => {},
    onUndeliverable: () => [],
    log,
  });
  const capabilities = () => adapter.capabilities;
  const drafts: Drafts = createDrafts({
    db,
    messages,
    deliveries,
    takeOver,
    capabilities,
    between: queue.between,
    log,
  });
  let now = 1_000_000;
  const activity = createActivities(() => now);
  let rests = false;
  const watch = () =>
    createLines({
      ...install,
      drafts,
      runner: { list: () => [{ sessionId: session.id, agentGroupId: '', startedAt: 0, phase: 'running' }] },
      activity,
      capabilities,
      rests: () => rests,
      deliver: queue.enqueue,
      redact: log.redact,
    });
  let lines = watch();
  const session = transaction(db, () => {
    const made = install.newSession();
    const content = kind === 'chat' ? { text: 'hi', sender: 'Ann' } : { prompt: 'do' };
    const common = { sessionId: made.id, kind, timestamp: AT, trigger, content, ...place };
    messages.addInbound({ id: 'm1', platformMessageId: 'q-1', ...common }, Date.now());
    return made;
  });
  activity.started(session.id, 0);
  const held = [{ message_id: 'm1', status: 'processing' as const, status_changed: AT, error: null }];
  let seq = 1;

  function perform(effects: Effects): void {
    queue.enqueue(effects.deliver);
    lines.said(session, effects, now);
    if (effects.draft) drafts.grown(effects.draft);
  }
  function look(snapshot: Partial<OutboundSnapshot>): void {
    const phase = { phase: 'turn' as const, updated_at: AT };
    const whole = { messages: [], acks: held, phase, tools: [], more: false, ...snapshot };
    perform(transaction(db, () => takeOver.apply(session, whole, Date.now())));
    activity.seen(session.id, whole);
  }
  function row(content: ChatOut): MessageOutRow {
    seq += 2;
    const rest = { in_reply_to: 'm1', timestamp: AT, deliver_after: null, kind: 'chat' as const };
    return { id: `msg-${seq}`, seq, ...rest, ...place, content: JSON.stringify(content) };
  }
  look({});
  return {
    session,
    said: () => [...chat.values()],
    order: () => order,
    refuses(on: boolean) {
      refuses = on;
    },
    dies: () => activity.ended(session.id),
    /** A new host on the same database. */
    restart() {
      lines = watch();
      activity.ended(session.id);
      activity.started(session.id, 0);
      look({});
    },
    /** Each second of so many minutes. */
    async pass(minutes: number) {
      for (let ms = 0; ms < minutes * MINUTE; ms += 1_000) {
        now += 1_000;
        lines.look(now);
      }
      await until(() => queue.depth() === 0);
    },
    works: (tool: string) => look({ tools: [{ id: 't', tool, started_at: AT, declared_timeout_ms: 600_000 }] }),
    says: (content: ChatOut) => look({ messages: [row(content)] }),
    writes: (text: string) => look({ draft: JSON.stringify({ answers: ['m1'], text }) }),
    answers: (text: string) =>
      look({
        messages: [row({ text, answers: ['m1'] })],
        acks: [{ message_id: 'm1', status: 'completed', status_changed: AT, error: null }],
        phase: { phase: 'idle', updated_at: AT },
      }),
    ends: () =>
      look({
        acks: [{ message_id: 'm1', status: 'completed', status_changed: AT, error: null }],
        phase: { phase: 'idle', updated_at: AT },
      }),
    asks(on: boolean) {
      rests = on;
    },
    /** As the host says it by itself: a question, say. */
    card() {
      const effects = { deliver: [transaction(db, () => takeOver.say(place, session.id, 'Which?', 'm1', Date.now()))] };
      queue.enqueue(effects.deliver);
      lines.said(session, effects, now);
    },
    quiet: () => until(() => queue.depth() === 0),
  };
}

test('after a minute there is one line, which changes each minute; the answer is a message of its own, and calls', async () => {
  using install = createInstall();
  const turn = setup(install);
  turn.works('Bash Run the tests');
  await turn.pass(0.9);
  assert.deepEqual(turn.said(), []);
  await turn.pass(0.2);
  assert.deepEqual(turn.said(), ['⏳ Still at it (1 min): running `Run the tests`.']);
  turn.works('Read report.pdf');
  await turn.pass(1);
  await until(() => turn.said().join() === '⏳ Still at it (2 min): reading `report.pdf`.');
  turn.answers('All of them pass.');
  await turn.quiet();
  assert.deepEqual(turn.said(), ['Worked on it for 2 min.', 'All of them pass.']);
  assert.deepEqual(turn.order().slice(-2), ['All of them pass.', 'Worked on it for 2 min.'], 'the news first');
});

for (const options of [{ edits: false }, { streams: false }]) {
  test(`where no change is seen it is said once, and then after ten minutes: ${JSON.stringify(options)}`, async () => {
    using install = createInstall();
    const turn = setup(install, options);
    turn.works('WebSearch trains to Lyon');
    await turn.pass(9);
    assert.deepEqual(turn.said(), ['⏳ Still at it (1 min): searching the web for `trains to Lyon`.']);
    await turn.pass(3);
    assert.equal(turn.said().length, 2);
    turn.answers('There are some.');
    await turn.quiet();
    assert.equal(turn.said().at(-1), 'There are some.');
    assert.equal(turn.order().length, 3, 'nothing is said of the lines');
  });
}

test('whatever is said begins the minute anew, and stands below the line', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(0.9);
  turn.says({ text: 'I begin.', progress: true });
  await turn.pass(0.9);
  assert.deepEqual(turn.said(), ['I begin.']);
  await turn.pass(0.2);
  assert.deepEqual(turn.said(), ['I begin.', '⏳ Still at it (1 min): thinking.']);
  turn.says({ text: 'By send_message.' });
  await turn.quiet();
  const before = ['I begin.', 'Worked on it for 1 min.', 'By send_message.'];
  assert.deepEqual(turn.said(), before);
  turn.writes('The answer is');
  await turn.pass(2);
  assert.deepEqual(turn.said(), [...before, 'The answer is']);
});

test('what the agent begins to write is a message of its own, too', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(1.1);
  turn.writes('The answer is');
  await until(() => turn.said().join() === 'Worked on it for 1 min.,The answer is');
  turn.answers('The answer is 42.');
  await turn.quiet();
  assert.deepEqual(turn.said(), ['Worked on it for 1 min.', 'The answer is 42.']);
});

test('below a question there is no place for what stands above it', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(1.1);
  turn.asks(true);
  turn.card();
  await turn.pass(5);
  assert.deepEqual(turn.said(), ['Worked on it for 1 min.', 'Which?']);
  turn.asks(false);
  await turn.pass(0.9);
  turn.answers('Blue, then.');
  await turn.quiet();
  assert.deepEqual(turn.said(), ['Worked on it for 1 min.', 'Which?', 'Blue, then.']);
});

const LEFT = ['Worked on it for 1 min.'];

test('a turn that ends without an answer leaves no work in the chat', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(1.1);
  turn.ends();
  await until(() => turn.said().join() === LEFT.join());
  await turn.pass(2);
  assert.deepEqual(turn.said(), LEFT);
});

test('nor does one whose sandbox has ended while its message waits for the next try', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(1.1);
  turn.dies();
  await turn.pass(1);
  assert.deepEqual(turn.said(), LEFT);
});

test('nor one of an earlier host; the next turn says a line of its own', async () => {
  using install = createInstall();
  const turn = setup(install);
  await turn.pass(1.1);
  turn.restart();
  await turn.pass(0.1);
  assert.deepEqual(turn.said(), LEFT);
  await turn.pass(1);
  assert.deepEqual(turn.said(), [...LEFT, '⏳ Still at it (1 min): thinking.']);
});

test('a line for which there was no room is said a minute later, and holds nothing up', async () => {
  using install = createInstall();
  const turn = setup(install);
  turn.refuses(true);
  await turn.pass(1.1);
  assert.deepEqual(turn.said(), []);
  turn.refuses(false);
  await turn.pass(1);
  assert.deepEqual(turn.said(), ['⏳ Still at it (2 min): thinking.']);
});

for (const options of [
  { kind: 'task' as const },
  { kind: 'webhook' as const },
  { trigger: false },
  { edits: false, live: false },
]) {
  test(`nobody waits, and nothing is said: ${JSON.stringify(options)}`, async () => {
    using install = createInstall();
    const turn = setup(install, options);
    await turn.pass(30);
    assert.deepEqual(turn.said(), []);
  });
}
