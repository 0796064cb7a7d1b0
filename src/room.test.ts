import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { createInstall } from '../test/support/central.ts';
import { createActivities } from './activity.ts';
import type { ContainerRunner } from './container-runner.ts';
import { createLogger } from './log/index.ts';
import { createNotices } from './notices.ts';
import { createRoom } from './room.ts';
import type { Waiter } from './sandbox-queue.ts';

/** A runner whose places are all taken. */
function fullRunner(
  waiting: readonly Waiter[],
  running: readonly string[] = [],
  stopped: string[] = [],
): ContainerRunner {
  return {
    wake: async () => {},
    adopt: async () => {},
    has: () => true,
    list: () => running.map((sessionId) => ({ sessionId, agentGroupId: 'a', phase: 'running', startedAt: 0 })),
    waiting: () => [...waiting],
    forget: () => {},
    stop: async (id, _graceMs, reason) => void stopped.push(`${id} ${reason}`),
    stopAll: async () => {},
  };
}

test('with a thousand that wait, a look costs milliseconds, and each chat is told once', () => {
  using install = createInstall();
  const waiting: Waiter[] = [];
  for (let i = 0; i < 1_000; i += 1) {
    const session = install.sessions.ensure(install.agentId, install.chatId, `t${i}`, Date.now());
    const rest = { kind: 'chat' as const, timestamp: isoTime(Date.now()), trigger: true, content: { text: 'x' } };
    const place = { channel_type: 'terminal', platform_id: 'local', thread_id: `t${i}` };
    install.messages.addInbound({ ...place, ...rest, id: `m${i}`, sessionId: session.id }, Date.now());
    waiting.push({ sessionId: session.id, agentGroupId: install.agentId, since: 0 });
  }
  const told: string[] = [];
  const { db, messages, sessions, takeOver } = install;
  const { sayWhereAsked } = createNotices({
    db,
    messages,
    sessions,
    takeOver,
    mounts: { takeNews: () => [] },
    deliver: (ids) => told.push(...ids),
    isGone: () => false,
    log: createLogger({ folder: `${install.root}/logs`, secrets: () => [] }),
  });
  const room = createRoom({
    runner: fullRunner(waiting),
    activity: createActivities(),
    messages,
    sessions,
    places: 2,
    publish: () => {},
    sayWhereAsked,
    onError: assert.fail,
  });
  room.look(10_000);
  assert.equal(told.length, 1_000);
  const begun = performance.now();
  for (let i = 0; i < 20; i += 1) room.look(11_000);
  const each = (performance.now() - begun) / 20;
  assert.equal(told.length, 1_000);
  assert.ok(each < 10, `${each} ms a look`);
});

test('work behind the turns keeps a place from others for half an hour, and its chat is heard meanwhile', () => {
  using install = createInstall();
  const session = install.newSession();
  let now = 0;
  const activity = createActivities(() => now);
  const stopped: string[] = [];
  const { messages, sessions } = install;
  const room = createRoom({
    runner: fullRunner([{ sessionId: 'w', agentGroupId: 'b', since: 0 }], [session.id], stopped),
    activity,
    messages,
    sessions,
    places: 1,
    publish: () => {},
    sayWhereAsked: () => {},
    onError: assert.fail,
  });
  const look = (phase: 'idle' | 'turn', jobs: string[]) => {
    const background = jobs.map((id) => ({ id, what: 'Count', asked: null }));
    const updated_at = isoTime(0);
    activity.seen(session.id, {
      messages: [],
      acks: [],
      tools: [],
      more: false,
      phase: { phase, updated_at },
      background,
    });
    room.look(now);
  };
  activity.started(session.id, 0);
  now = 61_000;
  look('turn', []);
  assert.notEqual(room.limit(session.id), undefined, 'its turn is to come to an end');
  look('idle', ['job']);
  assert.equal(room.limit(session.id), undefined);
  now += 29 * 60_000 - 61_000;
  look('idle', ['job']);
  assert.deepEqual(stopped, []);
  now += 2 * 60_000;
  look('idle', ['another, each time it is looked at']);
  assert.deepEqual(stopped, [`${session.id} place-needed`]);
});
