import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LEAST_PLACES, makeRoom, nextInLine, type Occupant, PATIENCE_MS, places, toYield } from './sandbox-queue.ts';

const GB = 1024 ** 3;

describe('places', () => {
  const cases: [memory: number, setting: string | undefined, expected: number][] = [
    [24 * GB, undefined, 11],
    [8 * GB, undefined, 3],
    [4 * GB, undefined, LEAST_PLACES],
    [GB / 2, undefined, LEAST_PLACES],
    [24 * GB, '3', 3],
    [GB, '40', 40],
    [24 * GB, 'many', 11],
    [24 * GB, '0', 11],
    [24 * GB, '', 11],
  ];
  for (const [memory, setting, expected] of cases) {
    test(`${memory / GB} GiB, setting ${setting}: ${expected}`, () => {
      assert.equal(places(memory, 2 * GB, setting), expected);
    });
  }
});

describe('nextInLine', () => {
  const wait = (sessionId: string, agentGroupId: string, since: number) => ({ sessionId, agentGroupId, since });
  test('the oldest of one agent', () => {
    assert.equal(nextInLine([wait('b', 'x', 2), wait('a', 'x', 1)], [])?.sessionId, 'a');
  });
  test('an agent with many sandboxes lets another one first', () => {
    const running = [{ agentGroupId: 'x' }, { agentGroupId: 'x' }, { agentGroupId: 'y' }];
    assert.equal(nextInLine([wait('a', 'x', 1), wait('b', 'y', 2)], running)?.sessionId, 'b');
  });
  test('nobody waits', () => assert.equal(nextInLine([], []), undefined));

  test('nobody starves: whatever others ask for, each waiter is served within as many turns as there are waiters', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }),
        (count, asks) => {
          let running: { agentGroupId: string }[] = [];
          let waiting = [wait('victim', 'v', 0)];
          for (const [i, agent] of asks.entries()) {
            waiting.push(wait(`s${i}`, `a${agent}`, i + 1));
            if (running.length >= count) running = running.slice(1);
            const next = nextInLine(waiting, running);
            if (!next) break;
            waiting = waiting.filter((one) => one !== next);
            running.push(next);
            if (next.sessionId === 'victim') return;
            assert.ok(i < 8, `the victim still waits after ${i} others`);
          }
        },
      ),
    );
  });
});

const occupant = (sessionId: string, change: Partial<Occupant> = {}): Occupant => ({
  sessionId,
  agentGroupId: 'x',
  idle: true,
  kept: false,
  stopping: false,
  startedAt: 0,
  lastActivity: 0,
  ...change,
});

describe('makeRoom', () => {
  test('the longest unused idle one goes', () => {
    const all = [
      occupant('a', { lastActivity: 5 }),
      occupant('b', { lastActivity: 2 }),
      occupant('c', { idle: false }),
    ];
    assert.deepEqual(makeRoom(1, all), ['b']);
    assert.deepEqual(makeRoom(9, all), ['b', 'a']);
  });
  test('one that is leaving already makes room for one', () => {
    assert.deepEqual(makeRoom(1, [occupant('a', { stopping: true, idle: false }), occupant('b')]), []);
  });
  test('nobody waits, nobody goes', () => assert.deepEqual(makeRoom(0, [occupant('a')]), []));
});

describe('toYield', () => {
  const late = { sessionId: 'w', agentGroupId: 'y', since: 0 };
  const now = PATIENCE_MS * 3;
  test('who has worked longest takes nothing new, one for each who waits too long', () => {
    const all = [occupant('a', { idle: false, startedAt: 9 }), occupant('b', { idle: false, startedAt: 3 })];
    assert.deepEqual(toYield([late], all, now), ['b']);
    assert.deepEqual(toYield([{ ...late, since: now - 1_000 }], all, now), []);
  });
  test('who has just begun may work for a while', () => {
    assert.deepEqual(toYield([late], [occupant('a', { idle: false, startedAt: now - 1_000 })], now), []);
    assert.deepEqual(toYield([late], [occupant('a', { idle: false, startedAt: 3, kept: true })], now), []);
  });
});
