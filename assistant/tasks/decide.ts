import { between, nextAfter, type Schedule } from './schedule.ts';
import type { CatchUp } from './words.ts';

/** What to do about a task that is due, and about one that has failed: pure. Times are ms since the epoch. */

/** Later than that it was missed, not only late. */
export const LATE_MS = 60_000;
/** Of what was missed, so many are made up for at once. */
export const MOST_AT_ONCE = 24;
/** Beyond that, nobody counts: each takes a tenth of a millisecond. */
const MOST_COUNTED = 100;
/** In a row; then a task is paused. */
export const MOST_FAILURES = 5;
const BACKOFF_MS = 60_000;

export interface Occurrence {
  at: number;
  /** How many before it this one stands for as well. */
  missed: number;
}

export interface Firing {
  fire: readonly Occurrence[];
  skip: (Occurrence & { why: string }) | undefined;
  next: number | undefined;
}

export interface Due {
  schedule: Schedule;
  dueAt: number;
  catchUp: CatchUp;
  /** An earlier run has not ended. */
  isRunning: boolean;
}

export function decideFiring({ schedule, dueAt, catchUp, isRunning }: Due, now: number): Firing {
  const times = between(schedule, dueAt, now, MOST_COUNTED);
  const next = nextAfter(schedule, now);
  const newest = times.at(-1) ?? dueAt;
  const missed = times.length - 1;
  if (catchUp === 'all') {
    const made = times.slice(-MOST_AT_ONCE);
    const fire = made.map((at, index) => ({ at, missed: index === 0 ? times.length - made.length : 0 }));
    return { fire, skip: undefined, next };
  }
  if (isRunning && schedule.recurs) {
    return { fire: [], skip: { at: newest, missed, why: 'the one before it was still running' }, next };
  }
  if (catchUp === 'once') return { fire: [{ at: newest, missed }], skip: undefined, next };
  const isMissed = now - newest > LATE_MS;
  const left = isMissed ? times : times.slice(0, -1);
  const last = left.at(-1);
  return {
    fire: isMissed ? [] : [{ at: newest, missed: 0 }],
    skip: last === undefined ? undefined : { at: last, missed: left.length - 1, why: 'nobody was there at that time' },
    next,
  };
}

/** When it comes again after `failures` in a row; undefined: it is paused. What recurs keeps to its times. */
export function afterFailure(schedule: Schedule, failures: number, now: number): number | undefined {
  if (failures >= MOST_FAILURES) return undefined;
  const earliest = now + BACKOFF_MS * 2 ** (failures - 1);
  return schedule.recurs ? nextAfter(schedule, earliest - 1_000) : earliest;
}

/** When what recurs comes at the latest: what is later than that was reckoned by a clock that was ahead. */
export function latestNext(schedule: Schedule, failures: number, now: number): number | undefined {
  return failures > 0 ? afterFailure(schedule, failures, now) : nextAfter(schedule, now);
}
