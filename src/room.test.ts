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
function fullRunner(waiting: readonly Waiter[]): ContainerRunner {
  return {
    wake: async () => {},
    has: () => true,
    list: () => [],
    waiting: () => [...waiting],
    forget: () => {},
    stop: async () => {},
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
