import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideStop, HEARTBEAT_DEAD_MS, IDLE_STOP_MS, type SandboxView, TURN_CEILING_MS } from './host-sweep.ts';

const now = 10_000_000;
const fresh: SandboxView = {
  startedAt: now - 1_000,
  lastActivity: now,
  heartbeatAgeMs: 500,
  turnSince: null,
  dueSince: null,
  declaredTimeoutMs: 0,
};

const cases: [name: string, Partial<SandboxView>, reason: string | undefined][] = [
  ['a fresh one stays', {}, undefined],
  ['idle for ten minutes is stopped', { lastActivity: now - IDLE_STOP_MS - 1 }, 'idle'],
  [
    'idle but with a message that has just become due stays',
    { lastActivity: now - IDLE_STOP_MS - 1, dueSince: now - 5_000, startedAt: 0 },
    undefined,
  ],
  [
    'a message that nobody takes for a minute',
    { lastActivity: now - 61_000, dueSince: now - 61_000, startedAt: 0 },
    'unclaimed',
  ],
  [
    'a long turn may keep another message waiting',
    { dueSince: now - 61_000, startedAt: 0, turnSince: now - 70_000 },
    undefined,
  ],
  ['a long turn is not idle', { lastActivity: now - IDLE_STOP_MS - 1, turnSince: now - 1_000 }, undefined],
  ['no heartbeat for a minute is dead', { heartbeatAgeMs: HEARTBEAT_DEAD_MS + 1 }, 'heartbeat'],
  ['none at all yet, just started, stays', { heartbeatAgeMs: null }, undefined],
  ['none at all a minute after its start is dead', { heartbeatAgeMs: null, startedAt: now - 61_000 }, 'heartbeat'],
  ['a turn over the ceiling is ended', { turnSince: now - TURN_CEILING_MS - 1 }, 'ceiling'],
  [
    'unless a tool declared more',
    { turnSince: now - TURN_CEILING_MS - 1, declaredTimeoutMs: TURN_CEILING_MS * 2 },
    undefined,
  ],
];

for (const [name, change, reason] of cases) {
  test(name, () => {
    const decision = decideStop({ ...fresh, ...change }, now);
    assert.equal(decision.stop ? decision.reason : undefined, reason);
  });
}
