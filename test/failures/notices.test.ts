import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import type { OpenMessage } from '../../src/db/messages.ts';
import type { Failure } from '../../src/failures.ts';
import { createInstall, type Install } from '../support/central.ts';

/** One notice stands for all that it answers: the times at which messages come and fail, and what is said then. */

const failure = (kind: Failure['kind'], retryable: boolean): Failure => ({ kind, retryable, message: 'x' });

function rig(install: Install) {
  const { db, messages, takeOver } = install;
  const session = install.newSession();
  let count = 0;
  let now = Date.now();
  return {
    pass(ms: number) {
      now += ms;
    },
    send(platformId = 'local') {
      count += 1;
      const id = `m${count}`;
      const origin = { channel_type: 'terminal', platform_id: platformId, thread_id: null };
      const more = { id, sessionId: session.id, kind: 'chat' as const, timestamp: isoTime(now), trigger: true };
      transaction(db, () => messages.addInbound({ ...origin, ...more, content: { text: 'x' } }, now));
      return id;
    },
    /** The agent says something. */
    answer() {
      count += 1;
      const row = {
        id: `a${count}`,
        seq: count * 2 + 1,
        kind: 'chat',
        timestamp: isoTime(now),
        content: '{"text":"x"}',
      };
      const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
      install.deliveries.addOutbound({ ...place, ...row, sessionId: session.id, inReplyTo: null }, now);
    },
    /** What is said when these fail. */
    fail(what: Failure, ...ids: string[]): string[] {
      const open = ids.map((id) => messages.openById(session.id, id)).filter((m): m is OpenMessage => m !== undefined);
      const effects = transaction(db, () => takeOver.fail(session, open, what, now));
      return effects.deliver.map((id) => String(install.deliveries.get(id)?.content));
    },
  };
}

test('five messages that fail together are told once', () => {
  using install = createInstall();
  const { send, fail } = rig(install);
  assert.equal(fail(failure('auth', false), send(), send(), send(), send(), send()).length, 1);
});

test('five that were sent before the first failed, and fail one after the other, are told once', () => {
  using install = createInstall();
  const { send, fail } = rig(install);
  const ids = [send(), send(), send(), send(), send()];
  const said = ids.flatMap((id) => fail(failure('auth', false), id));
  assert.equal(said.length, 1);
});

test('five that follow each other closely, and fail at once, are told once', () => {
  using install = createInstall();
  const { send, fail, pass } = rig(install);
  const said = Array.from({ length: 5 }, () => {
    pass(400);
    return fail(failure('auth', false), send());
  });
  assert.equal(said.flat().length, 1);
});

test('with an answer in between, the same trouble is told again at once', () => {
  using install = createInstall();
  const { send, fail, pass, answer } = rig(install);
  assert.equal(fail(failure('quarantine', false), send()).length, 1);
  pass(500);
  answer();
  pass(500);
  assert.equal(fail(failure('quarantine', false), send()).length, 1);
});

test('a message that was sent after the notice was read has one of its own, also when the clock was set back', () => {
  using install = createInstall();
  const { send, fail, pass } = rig(install);
  assert.equal(fail(failure('auth', false), send()).length, 1);
  pass(5_000);
  assert.equal(fail(failure('auth', false), send()).length, 1);
  pass(-3_600_000);
  assert.equal(fail(failure('auth', false), send()).length, 1);
});

test('while one waits for its next try, others that fail for the same cause say nothing new', () => {
  using install = createInstall();
  const { send, fail } = rig(install);
  const first = send();
  assert.equal(fail(failure('overload', true), first).length, 1);
  assert.deepEqual(fail(failure('overload', true), send()), []);
  assert.deepEqual(fail(failure('overload', true), first), [], 'the second try of the first');
  assert.equal(fail(failure('network', true), send()).length, 1, 'another cause is news');
});

test('what is given up one after the other is told once, and a message that came later has its own', () => {
  using install = createInstall();
  const { send, fail, pass } = rig(install);
  const overload = failure('overload', true);
  const ids = [send(), send()];
  const tries = () => {
    pass(5_000);
    return ids.map((id) => fail(overload, id).length).reduce((a, b) => a + b);
  };
  assert.equal(tries(), 1);
  for (let time = 0; time < 4; time += 1) assert.equal(tries(), 0);
  assert.equal(tries(), 1, 'given up');
  pass(5_000);
  assert.equal(fail(overload, send()).length, 1);
});

test('each chat of a session is told', () => {
  using install = createInstall();
  const { send, fail } = rig(install);
  assert.equal(fail(failure('auth', false), send('one'), send('two'), send('one')).length, 2);
});
