import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MessageOutRow, ProcessingAckRow } from '@nanoclaw/protocol';
import { createInstall, type Install } from '../../test/support/central.ts';
import { transaction } from '../db/group-commit.ts';
import type { Session } from '../db/sessions.ts';
import type { OutboundSnapshot } from '../mailbox/outbound-reader.ts';
import type { Effects } from './index.ts';

const at = '2026-11-21T08:00:00.000Z';

function ask(install: Install, session: Session, id: string, trigger = true): void {
  transaction(install.db, () =>
    install.messages.addInbound(
      {
        id,
        sessionId: session.id,
        kind: 'chat',
        timestamp: at,
        trigger,
        content: { text: 'hi', sender: 'Owner' },
        channel_type: 'terminal',
        platform_id: 'local',
        thread_id: null,
        platformMessageId: `p-${id}`,
      },
      Date.parse(at),
    ),
  );
}

const out = (id: string, seq: number, content: unknown, over: Partial<MessageOutRow> = {}): MessageOutRow => ({
  id,
  seq,
  in_reply_to: null,
  timestamp: at,
  deliver_after: null,
  kind: 'chat',
  platform_id: 'local',
  channel_type: 'terminal',
  thread_id: null,
  content: JSON.stringify(content),
  ...over,
});
const ack = (message_id: string, status: ProcessingAckRow['status'], error: unknown = null): ProcessingAckRow => ({
  message_id,
  status,
  status_changed: at,
  error: error === null ? null : JSON.stringify(error),
});
const snapshot = (part: Partial<OutboundSnapshot>): OutboundSnapshot => ({
  messages: [],
  acks: [],
  phase: null,
  tools: [],
  more: false,
  ...part,
});
function apply(install: Install, session: Session, part: Partial<OutboundSnapshot>): Effects {
  const current = install.sessions.get(session.id) ?? session;
  return transaction(install.db, () => install.takeOver.apply(current, snapshot(part), Date.now()));
}
const outcomes = (effects: Effects) => effects.settled.map(({ messageId, outcome }) => [messageId, outcome]);

describe('take-over', () => {
  test('an answer that was written before a stop reached the agent is kept, and not said', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    transaction(install.db, () => install.messages.settle(session.id, 'm1', 'completed', 'stopped', Date.now()));
    const part = { messages: [out('o1', 3, { text: 'hello', answers: ['m1'] })], acks: [ack('m1', 'completed')] };
    assert.deepEqual(apply(install, session, part).deliver, []);
    assert.deepEqual(install.deliveries.open(), []);
    assert.equal(install.messages.notedOutcome(session.id, 'm1'), 'stopped');
  });

  test('an answer is queued once and its messages end with it, however often the same rows are read', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    ask(install, session, 'm2');
    const part = {
      messages: [out('o1', 3, { text: 'hello', answers: ['m1', 'm2'] })],
      acks: [ack('m1', 'completed'), ack('m2', 'completed')],
    };
    const first = apply(install, session, part);
    assert.deepEqual(first.deliver, [`${session.id}.o1`]);
    assert.deepEqual(outcomes(first), [
      ['m1', 'reply'],
      ['m2', 'reply'],
    ]);
    const again = apply(install, session, part);
    assert.deepEqual([again.deliver, again.settled], [[], []]);
    assert.equal(install.sessions.get(session.id)?.receivedSeq, 3);
    assert.deepEqual(install.messages.openRows(session.id), []);
  });

  test('with rows left to read no acknowledgement counts yet', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    const acks = [ack('m1', 'completed')];
    const first = apply(install, session, {
      messages: [out('o1', 3, { text: 'a', progress: true })],
      acks,
      more: true,
    });
    assert.deepEqual(first.settled, []);
    const second = apply(install, session, { messages: [out('o2', 5, { text: 'b', answers: ['m1'] })], acks });
    assert.deepEqual(outcomes(second), [['m1', 'reply']]);
  });

  test('a completed trigger that nothing answered is a recorded silence; context is context', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    ask(install, session, 'c1', false);
    const effects = apply(install, session, { acks: [ack('m1', 'completed'), ack('c1', 'completed')] });
    assert.deepEqual(outcomes(effects), [
      ['m1', 'silence'],
      ['c1', 'context'],
    ]);
  });

  test('a retryable failure is put off and told once; an acknowledgement of an older try says nothing', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    ask(install, session, 'm2');
    const error = { class: 'overload', retryable: true, message: '529', tries: 0 };
    const failed = [ack('m1', 'failed', error), ack('m2', 'failed', error)];
    const first = apply(install, session, { acks: failed });
    assert.equal(first.putOff.length, 2);
    assert.equal(first.deliver.length, 1, 'one notice for both');
    const again = apply(install, session, { acks: failed });
    assert.deepEqual([again.putOff, again.deliver], [[], []]);
    assert.deepEqual(
      install.messages.open(session.id).map((message) => message.tries),
      [1, 1],
    );
  });

  test('a failure for good ends the message with a notice', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    const error = { class: 'billing', retryable: false, message: 'no credit', tries: 0 };
    const effects = apply(install, session, { acks: [ack('m1', 'failed', error)] });
    assert.deepEqual(outcomes(effects), [['m1', 'notice']]);
    const notice = install.deliveries.get(effects.deliver[0] ?? '');
    assert.match(notice?.content ?? '', /no credit/);
    assert.equal(notice?.inReplyTo, 'm1');
  });

  test('a failure that cannot be read still ends in a notice', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    const effects = apply(install, session, { acks: [ack('m1', 'failed', { class: 'made up' })] });
    assert.deepEqual(outcomes(effects), [['m1', 'notice']]);
  });

  test('a chat that was taken from the agent gets nothing more, not even what was asked for there', () => {
    using install = createInstall();
    const session = install.newSession();
    ask(install, session, 'm1');
    install.db.exec('DELETE FROM agent_destinations');
    const say = (id: string, seq: number) =>
      apply(install, session, { messages: [out(id, seq, { text: 'x' })] }).deliver;
    assert.equal(say('o1', 1).length, 1, 'it is wired there');
    install.db.exec('DELETE FROM messaging_group_agents');
    assert.deepEqual(say('o2', 3), []);
  });

  test('a chat that the agent was not given is refused, and the agent is told', () => {
    using install = createInstall();
    const session = install.newSession();
    const rows = [out('o1', 1, { text: 'psst' }, { platform_id: 'somebody-else' })];
    const effects = apply(install, session, { messages: rows });
    assert.deepEqual(effects.deliver, []);
    const [note] = install.messages.openRows(session.id);
    assert.match(note?.content ?? '', /You may not send there/);
    assert.deepEqual(
      install.deliveries.recent(session.id, 10).map(({ message_out_id, status }) => [message_out_id, status]),
      [['o1', 'failed']],
    );
  });

  test('six hundred refused rows leave a bounded number of notes, and the next message still comes through', () => {
    using install = createInstall();
    const session = install.newSession();
    const rows = Array.from({ length: 600 }, (_, i) => out(`o${i}`, 2 * i + 1, { text: 'x' }, { platform_id: 'no' }));
    const effects = apply(install, session, { messages: rows });
    assert.equal(effects.refused, 600);
    ask(install, session, 'm1');
    const open = install.messages.openRows(session.id);
    assert.equal(open.filter((row) => row.kind === 'system').length, 20);
    assert.equal(open.at(-1)?.id, 'm1');
  });

  test('in every kind of session a row goes to its chat, or to a destination that the agent was given', () => {
    using install = createInstall();
    const { db, sessions, agentId, chatId } = install;
    db.exec(`INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at)
             VALUES ('mg-office', 'telegram', 'office', 'office', '${at}'), ('mg-far', 'telegram', 'far', 'far', '${at}');
             INSERT INTO agent_destinations (agent_group_id, local_name, target_type, target_id, created_at)
             VALUES ('${agentId}', 'office', 'channel', 'mg-office', '${at}')`);
    const LOCAL = { channel_type: 'terminal', platform_id: 'local' };
    const UNSAID = { channel_type: null, platform_id: null };
    const OFFICE = { channel_type: 'telegram', platform_id: 'office' };
    const kinds = [
      { thread: null, session: sessions.ensure(agentId, chatId, null, Date.now()) },
      { thread: 't-1', session: sessions.ensure(agentId, chatId, 't-1', Date.now()) },
      { thread: null, session: sessions.ensure(agentId, null, null, Date.now()), isShared: true },
    ];
    for (const { thread, session, isShared = false } of kinds) {
      const rows = [LOCAL, OFFICE, UNSAID, { channel_type: 'telegram', platform_id: 'far' }].map((place, index) =>
        out(`o${index}`, 2 * index + 1, { text: 'x' }, { ...place, thread_id: place === LOCAL ? thread : null }),
      );
      const { deliver, refused } = apply(install, session, { messages: rows });
      const places = deliver.map((id) => {
        const { platform_id, thread_id } = install.deliveries.get(id) ?? {};
        return [platform_id, thread_id];
      });
      const own = ['local', thread];
      assert.deepEqual(places, isShared ? [own, ['office', null]] : [own, ['office', null], own]);
      assert.equal(refused, isShared ? 2 : 1);
    }
  });

  test("one session can't settle or answer for another's messages", () => {
    using install = createInstall();
    const session = install.newSession();
    const other = install.sessions.ensure(install.agentId, null, null, Date.now());
    ask(install, other, 'theirs');
    const effects = apply(install, session, {
      messages: [out('o1', 1, { text: 'x', answers: ['theirs'] })],
      acks: [ack('theirs', 'completed')],
    });
    assert.deepEqual(effects.settled, []);
    assert.equal(install.messages.open(other.id).length, 1);
    assert.equal(install.messages.notedOutcome(other.id, 'theirs'), undefined);
  });

  test('a request that nobody understands is answered', () => {
    using install = createInstall();
    const session = install.newSession();
    const system = { kind: 'system' as const, channel_type: null, platform_id: null };
    apply(install, session, {
      messages: [
        out('u1', 1, { action: 'usage', provider: 'claude', inputTokens: 5, outputTokens: 7, costUsd: 0.1 }, system),
        out('u2', 3, { action: 'format-disk' }, system),
      ],
    });
    assert.equal(install.messages.openRows(session.id).length, 1);
  });
});
