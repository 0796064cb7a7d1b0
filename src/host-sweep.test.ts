import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Activity, Tool } from './activity.ts';
import {
  BACKGROUND_CEILING_MS,
  decideStop,
  HEARTBEAT_DEAD_MS,
  IDLE_STOP_MS,
  MODEL_TOOL,
  NO_PROGRESS_MS,
  TOOL_GRACE_MS,
  TURN_CEILING_MS,
} from './host-sweep.ts';

const now = 100_000_000;
const fresh: Activity = {
  startedAt: now - 1_000,
  lastActivity: now,
  turnSince: null,
  held: new Set(),
  progressAt: now,
  tools: new Map(),
  jobs: new Map(),
  neededAt: now,
  dueSince: null,
  heartbeatAt: now - 500,
  heartbeatTime: 1,
  seqAtStart: 0,
};
const MINUTE = 60_000;
const tools = (...list: [name: string, ageMs: number, declaredTimeoutMs: number | null][]): ReadonlyMap<string, Tool> =>
  new Map(
    list.map(([name, age, declaredTimeoutMs], i) => [
      `${i}`,
      { name, subject: '', since: now - age, declaredTimeoutMs },
    ]),
  );
const jobs = (...ages: number[]): Activity['jobs'] =>
  new Map(ages.map((age, i) => [`${i}`, { what: 'Count', asked: null, since: now - age }]));
const inTurn = { turnSince: now - 5 * MINUTE, startedAt: 0 };

type Case = [name: string, change: Partial<Activity>, reason: string | undefined];

const cases: Readonly<Record<string, Case[]>> = {
  'without a turn': [
    ['a fresh one stays', {}, undefined],
    [
      'idle, with something that goes on behind its turns, stays',
      { lastActivity: now - IDLE_STOP_MS - 1, jobs: jobs(BACKGROUND_CEILING_MS - 1, MINUTE) },
      undefined,
    ],
    [
      'until the oldest of it has taken two hours',
      { lastActivity: now, jobs: jobs(BACKGROUND_CEILING_MS + 1, MINUTE) },
      'background',
    ],
    [
      'nothing that it says of itself keeps it for longer',
      { lastActivity: now, neededAt: now - BACKGROUND_CEILING_MS - 1, jobs: jobs(MINUTE) },
      'background',
    ],
    [
      'a message that nobody takes is no less one for it',
      { lastActivity: now - MINUTE - 1, dueSince: now - MINUTE - 1, startedAt: 0, jobs: jobs(MINUTE) },
      'unclaimed',
    ],
    ['idle for ten minutes is stopped', { lastActivity: now - IDLE_STOP_MS - 1 }, 'idle'],
    [
      'idle, with a message that has just become due, stays',
      { lastActivity: now - IDLE_STOP_MS - 1, dueSince: now - 5_000, startedAt: 0 },
      undefined,
    ],
    [
      'a message that nobody takes for a minute',
      { lastActivity: now - MINUTE - 1, dueSince: now - MINUTE - 1, startedAt: 0 },
      'unclaimed',
    ],
  ],
  'signs of life': [
    ['no heartbeat for a minute is dead', { heartbeatAt: now - HEARTBEAT_DEAD_MS - 1 }, 'heartbeat'],
    [
      'in a turn, too, whatever a tool declared',
      { ...inTurn, tools: tools(['Bash', 0, 600_000]), heartbeatAt: now - MINUTE - 1 },
      'heartbeat',
    ],
    ['none at all yet, just started, stays', { heartbeatAt: null }, undefined],
    ['none at all a minute after its start is dead', { heartbeatAt: null, startedAt: now - MINUTE - 1 }, 'heartbeat'],
  ],
  'in a turn': [
    ['what goes on behind it does not end it', { ...inTurn, jobs: jobs(BACKGROUND_CEILING_MS + 1) }, undefined],
    [
      'one that nobody asked for ends it no later than work behind the turns',
      { ...inTurn, neededAt: now - BACKGROUND_CEILING_MS - 1 },
      'background',
    ],
    [
      'one that somebody waits for has its own ceiling',
      { ...inTurn, neededAt: now - BACKGROUND_CEILING_MS - 1, dueSince: now - 5 * MINUTE },
      undefined,
    ],
    ['it is not idle', { ...inTurn, lastActivity: now - IDLE_STOP_MS - 1 }, undefined],
    ['it may keep another message waiting', { ...inTurn, dueSince: now - 4 * MINUTE }, undefined],
    ['over the ceiling it is ended', { turnSince: now - TURN_CEILING_MS - 1 }, 'ceiling'],
    [
      'unless a tool declared more',
      { turnSince: now - TURN_CEILING_MS - 1, tools: tools(['Bash', MINUTE, TURN_CEILING_MS * 2]) },
      undefined,
    ],
    ['nothing moves and nothing runs', { ...inTurn, progressAt: now - NO_PROGRESS_MS - 1 }, 'no-progress'],
    ['nothing moves for not quite a minute', { ...inTurn, progressAt: now - NO_PROGRESS_MS + 1 }, undefined],
  ],
  tools: [
    [
      'a declared timeout is respected beyond the minute',
      { ...inTurn, progressAt: now - 4 * MINUTE, tools: tools(['Bash', 4 * MINUTE, 5 * MINUTE]) },
      undefined,
    ],
    [
      'over it and its grace the tool hangs',
      { ...inTurn, tools: tools(['Bash', MINUTE + TOOL_GRACE_MS + 1, MINUTE]) },
      'tool',
    ],
    [
      'a hung one is seen beside neighbours that work',
      {
        ...inTurn,
        tools: tools(['Read', 100, null], ['Bash', MINUTE + TOOL_GRACE_MS + 1, MINUTE], ['Bash', 10, MINUTE]),
      },
      'tool',
    ],
    [
      'within its grace the runner has the first go',
      { ...inTurn, tools: tools(['Bash', MINUTE + TOOL_GRACE_MS - 1, MINUTE]) },
      undefined,
    ],
    [
      'one that declared nothing may take as long as a turn',
      { ...inTurn, progressAt: now - 4 * MINUTE, tools: tools(['WebFetch', 4 * MINUTE, null]) },
      undefined,
    ],
    [
      'an answer may stream for long',
      { ...inTurn, progressAt: now - 1_000, tools: tools([MODEL_TOOL, 5 * MINUTE, 90_000]) },
      undefined,
    ],
    [
      'a model that falls silent may take what was declared',
      { ...inTurn, progressAt: now - 100_000, tools: tools([MODEL_TOOL, 5 * MINUTE, 90_000]) },
      undefined,
    ],
    [
      'and no more than that and a grace',
      { ...inTurn, progressAt: now - 90_000 - TOOL_GRACE_MS - 1, tools: tools([MODEL_TOOL, 5 * MINUTE, 90_000]) },
      'no-progress',
    ],
  ],
};

for (const [group, rows] of Object.entries(cases)) {
  describe(group, () => {
    for (const [name, change, reason] of rows) {
      test(name, () => {
        const decision = decideStop({ ...fresh, ...change }, now);
        assert.equal(decision.stop ? decision.reason : undefined, reason);
      });
    }
  });
}

test('a hung tool is named', () => {
  const decision = decideStop({ ...fresh, ...inTurn, tools: tools(['Bash', 10 * MINUTE, 1_000]) }, now);
  assert.equal(decision.stop && decision.detail, 'Bash');
});
