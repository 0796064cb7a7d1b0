import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChatOut, MessageOutRow } from '@nanoclaw/protocol';
import { createDeadLetters } from '../../admin/dead-letters.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import type { ChannelAdapter, ChannelCapabilities, DeliveryResult, OutboundMessage } from '../channels/adapter.ts';
import { transaction } from '../db/group-commit.ts';
import type { Session } from '../db/sessions.ts';
import { createLogger } from '../log/index.ts';
import { createDelivery } from './index.ts';

/** What an agent says about a message that stands in a chat: edits, reactions, and which one it answers. */

const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };

function setup(install: Install, capabilities: Partial<ChannelCapabilities> = {}) {
  const calls: (OutboundMessage | { on: string; emoji: string })[] = [];
  const failures: string[] = [];
  let answer: (message: OutboundMessage) => DeliveryResult | undefined = () => undefined;
  let reacted: DeliveryResult = { status: 'sent' };
  const adapter: ChannelAdapter = {
    channelType: 'terminal',
    capabilities: { threads: false, maxTextLength: 60, buttons: true, edits: true, reactions: true, ...capabilities },
    start: async () => {},
    stop: async () => {},
    async deliver(message) {
      calls.push(message);
      return answer(message) ?? { status: 'sent', platformMessageId: `p-${message.text}` };
    },
    async react(_chat, _thread, on, emoji) {
      calls.push({ on, emoji });
      return reacted;
    },
    typing: () => {},
  };
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  let present: ChannelAdapter | undefined = adapter;
  const queue = createDelivery({
    db: install.db,
    deliveries: install.deliveries,
    adapter: () => present,
    boxOf: () => undefined,
    scratch: join(install.root, 'scratch'),
    onDelivered: () => {},
    onUndeliverable(_delivery, error) {
      failures.push(error);
      return [];
    },
    log: createLogger({ folder: join(install.root, 'logs'), secrets: () => [] }),
  });
  const session = transaction(install.db, () => install.newSession());
  let seq = 1;
  return {
    calls,
    failures,
    queue,
    session,
    answers(next: typeof answer) {
      answer = next;
    },
    answersReactions(next: DeliveryResult) {
      reacted = next;
    },
    away() {
      present = undefined;
    },
    back() {
      present = adapter;
      queue.available('terminal');
    },
    /** Hands over an agent's row; resolves when it is settled. Returns its number. */
    async agent(content: ChatOut, { in_reply_to = null as string | null, waits = true } = {}): Promise<number> {
      seq += 2;
      const id = `msg-${seq}`;
      const row: MessageOutRow = {
        id,
        seq,
        in_reply_to,
        timestamp: '2026-11-21T08:00:00.000Z',
        deliver_after: null,
        kind: 'chat',
        ...place,
        content: JSON.stringify(content),
      };
      const snapshot = { messages: [row], acks: [], phase: null, tools: [], more: false };
      queue.enqueue(transaction(install.db, () => install.takeOver.apply(session, snapshot, Date.now())).deliver);
      if (waits) await until(() => ['sent', 'failed'].includes(stateOf(install, session, seq)));
      return seq;
    },
    state: (of: number) => stateOf(install, session, of),
    hears(id: string, platformMessageId: string) {
      const message = {
        id,
        sessionId: session.id,
        kind: 'chat' as const,
        timestamp: '2026-11-21T08:00:00.000Z',
        trigger: true,
        content: { text: 'hi', sender: 'Ann' },
        platformMessageId,
        ...place,
      };
      transaction(install.db, () => install.messages.addInbound(message, Date.now()));
    },
  };
}

function stateOf(install: Install, session: Session, seq: number): string {
  const row = install.db.prepare('SELECT status FROM deliveries WHERE message_id = ?').get(`${session.id}.msg-${seq}`);
  return String(row?.status);
}

test('an agent changes what it has said, by its id or its number', async () => {
  using install = createInstall();
  const { agent, calls } = setup(install);
  const seq = await agent({ text: 'Monday' });
  await agent({ text: 'Tuesday', edits: { message: `msg-${seq}` } });
  await agent({ text: 'Wednesday', edits: { message: String(seq) } });
  assert.deepEqual(
    calls.map((call) => 'text' in call && [call.text, call.edits]),
    [
      ['Monday', undefined],
      ['Tuesday', 'p-Monday'],
      ['Wednesday', 'p-Monday'],
    ],
  );
});

test('what can not be changed is said anew: an old one, one of several parts, one where nothing changes', async () => {
  using install = createInstall();
  const { agent, calls, answers } = setup(install);
  const old = await agent({ text: 'old' });
  answers(({ edits }) => (edits ? { status: 'failed', retryable: false, error: 'too old' } : undefined));
  await agent({ text: 'new', edits: { message: String(old) } });
  assert.deepEqual(
    calls.slice(1).map((call) => 'text' in call && call.edits),
    ['p-old', undefined],
  );
  answers(() => undefined);
  const long = await agent({ text: `${'word '.repeat(11)}\n\n${'more '.repeat(8)}` });
  const before = calls.length;
  await agent({ text: 'short', edits: { message: String(long) } });
  assert.deepEqual(
    calls.slice(before).map((call) => 'text' in call && call.edits),
    [undefined],
  );
  using other = createInstall();
  const plain = setup(other, { edits: false });
  await plain.agent({ text: 'new', edits: { message: String(await plain.agent({ text: 'old' })) } });
  assert.deepEqual(
    plain.calls.map((call) => 'text' in call && [call.text, call.edits]),
    [
      ['old', undefined],
      ['new', undefined],
    ],
  );
});

test('a change that is longer than a message goes on in further ones', async () => {
  using install = createInstall();
  const { agent, calls, state } = setup(install);
  const first = await agent({ text: 'one' });
  const long = await agent({
    text: `${'word '.repeat(11)}\n\n${'more '.repeat(8)}`,
    edits: { message: String(first) },
  });
  assert.equal(state(long), 'sent');
  assert.deepEqual(
    calls.slice(1).map((call) => 'text' in call && call.edits),
    ['p-one', undefined],
  );
});

test("a change whose fate nobody knows is made again; it names no message but the agent's own", async () => {
  using install = createInstall();
  const { agent, calls, answers, session, hears, state } = setup(install);
  hears('in-1', 'q1');
  const seq = await agent({ text: 'one' });
  let lost = 1;
  answers(({ edits }) => (edits && lost-- > 0 ? { status: 'unknown', error: 'the line broke' } : undefined));
  await agent({ text: 'two', edits: { message: String(seq) } });
  assert.deepEqual(
    calls.map((call) => 'text' in call && call.text),
    ['one', 'two', 'two'],
  );
  for (const message of ['in-1', '2', '99', 'note-1', `${session.id}.msg-${seq}`]) {
    assert.equal(state(await agent({ text: 'mine', edits: { message } })), 'failed', message);
  }
  assert.equal(calls.length, 3);
});

test('an agent reacts to a message of either side, and hears where that can not be', async () => {
  using install = createInstall();
  const { agent, calls, hears, state } = setup(install);
  hears('in-1', 'q1');
  const own = await agent({ text: 'mine' });
  await agent({ text: '', reacts: { message: '2', emoji: '👍' } });
  await agent({ text: '', reacts: { message: 'in-1', emoji: '👀' } });
  await agent({ text: '', reacts: { message: String(own), emoji: '✅' } });
  assert.deepEqual(calls.slice(1), [
    { on: 'q1', emoji: '👍' },
    { on: 'q1', emoji: '👀' },
    { on: 'p-mine', emoji: '✅' },
  ]);
  assert.equal(state(await agent({ text: '', reacts: { message: 'in-9', emoji: '👍' } })), 'failed');
  using other = createInstall();
  const plain = setup(other, { reactions: false });
  plain.hears('in-1', 'q1');
  await plain.agent({ text: '', reacts: { message: 'in-1', emoji: '👍' } });
  assert.deepEqual(plain.failures, ['No reactions can be shown here.']);
  assert.deepEqual(createDeadLetters(other.db).deadLetters(10), []);
});

test('a reaction to a message that is gone: its agent hears why, and it is not tried again', async () => {
  using install = createInstall();
  const { agent, calls, hears, state, failures, answersReactions } = setup(install);
  hears('in-1', 'q1');
  const error = 'The message to react to was not found.';
  answersReactions({ status: 'failed', retryable: false, error });
  assert.equal(state(await agent({ text: '', reacts: { message: 'in-1', emoji: '👍' } })), 'failed');
  assert.deepEqual(failures, [error]);
  assert.equal(calls.length, 1);
  assert.deepEqual(createDeadLetters(install.db).deadLetters(10), []);
});

test('an answer names its question where a reader would ask which: in a group, and when somebody has written since', async () => {
  using install = createInstall();
  const { agent, calls, hears } = setup(install);
  const quoted = async (in_reply_to: string, content: ChatOut = { text: 'x' }) => {
    await agent(content, { in_reply_to });
    const call = calls.at(-1);
    return call && 'quotes' in call ? call.quotes : undefined;
  };
  hears('in-1', 'q1');
  assert.equal(await quoted('in-1'), undefined);
  hears('in-2', 'q2');
  assert.equal(await quoted('in-1'), 'q1');
  assert.equal(await quoted('in-1', { text: 'working', progress: true }), undefined);
  assert.equal(await quoted('in-2'), undefined);
  install.db.exec('UPDATE messaging_groups SET is_group = 1');
  assert.equal(await quoted('in-2'), 'q2');
});

test('a channel that is away costs no tries, however often it is looked for', async () => {
  using install = createInstall();
  const { agent, session, answers, away, back, queue } = setup(install);
  answers(() => ({ status: 'failed', retryable: true, error: '500', retryAfterMs: 1 }));
  const seq = await agent({ text: 'one' }, { waits: false });
  const attempts = () =>
    Number(
      install.db.prepare('SELECT attempts FROM deliveries WHERE message_id = ?').get(`${session.id}.msg-${seq}`)
        ?.attempts,
    );
  const error = () =>
    install.db.prepare('SELECT error FROM deliveries WHERE message_id = ?').get(`${session.id}.msg-${seq}`)?.error;
  await until(() => attempts() === 1 && error() === '500');
  away();
  await until(() => {
    queue.available('terminal');
    return error() === 'The channel is not there.';
  });
  assert.equal(attempts(), 1);
  answers(() => undefined);
  back();
  await until(() => stateOf(install, session, seq) === 'sent');
});

test('a card that came in several messages ends in the last of them, and says nothing twice', async () => {
  using install = createInstall();
  const { calls, queue } = setup(install);
  const say = async (text: string, extra: Parameters<typeof install.takeOver.say>[5]) => {
    const id = transaction(install.db, () => install.takeOver.say(place, null, text, null, Date.now(), extra));
    queue.enqueue([id]);
    await until(() => queue.depth() === 0);
    return id;
  };
  const question = `${'Is this what you want? '.repeat(4)}`;
  const card = { title: 'Asked', body: question, buttons: [{ data: 'q:q-1:0', label: 'Yes' }] };
  const message = await say(`${question}\n\n1. Yes`, { card });
  const parts = calls.splice(0);
  assert.equal(parts.length, 2);
  await say('Asked: ✅ Kim: Yes', { edits: { message, text: `${question}\n\n✅ Kim: Yes` } });
  const last = parts.at(-1);
  assert.deepEqual(
    calls.map((call) => 'text' in call && [call.text, call.edits]),
    [['Asked: ✅ Kim: Yes', last && 'text' in last && `p-${last.text}`]],
  );
});
