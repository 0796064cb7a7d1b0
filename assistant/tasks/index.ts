import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import { createChange } from '../../admin/directory/change.ts';
import type { Audit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Logger } from '../../src/log/index.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { Tasking } from '../../src/tasking.ts';
import { createTaskChanges, type TaskChanges } from './changes.ts';
import { latestNext } from './decide.ts';
import { createEnding, type Ending, type EndingParts } from './ending.ts';
import { createFirings, type FiringParts } from './firing.ts';
import { nextAfter } from './schedule.ts';
import { createTable, type Task } from './table.ts';

/** What agents do at a time: a timer for the next one, and a look each second, which a clock that is set can't mislead. */

export interface TasksParts extends Omit<FiringParts, 'table'>, Pick<EndingParts, 'sessions'> {
  db: DatabaseSync;
  audit: Audit;
  sessions: FiringParts['sessions'] & EndingParts['sessions'];
  takeOver: Pick<TakeOver, 'tellAgent' | 'say'>;
  /** inbound.db, and a sandbox for it. */
  wake(sessionId: string): void;
  /** To the owner, wherever they can be reached. Inside no transaction. */
  tellOwner(text: string): void;
  log: Pick<Logger, 'info' | 'error'>;
}

export interface Tasks extends Tasking {
  changes: TaskChanges;
  end: Ending['end'];
  /** Now and then, and when messages have ended. */
  look(now: number): void;
  stop(): void;
}

/** Node's timers hold no longer ones; the look finds what is due all the same. */
const LONGEST_TIMER_MS = 3_600_000;
const RETRY_MS = 1_000;
/** A clock that goes back further than this was ahead. */
const BACK_MS = 1_000;

export function createTasks(parts: TasksParts): Tasks {
  const { db, log } = parts;
  const table = createTable(db);
  const firings = createFirings({ ...parts, table });
  const ending = createEnding({ ...parts, table, changed });
  /** In ms since the epoch; nothing is asked of the database before. */
  let nextAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  /** The time of the last look; before the first, nobody knows what the clock was. */
  let lookedAt = Number.POSITIVE_INFINITY;
  let isStopped = false;
  /** Whether a run may have ended. */
  let isRunning = true;
  /** Could not be fired, and was told of: a full disk, say. */
  let broken: ReadonlySet<string> = new Set();

  /** What is due next may be another. Also inside a transaction. */
  function changed(): void {
    nextAt = Number.NEGATIVE_INFINITY;
    arm(0);
  }

  function arm(ms: number): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => lookOnce(Date.now()), Math.min(Math.max(0, ms), LONGEST_TIMER_MS)).unref();
  }

  function fire(task: Task, now: number): void {
    const { fired, told } = transaction(db, () => {
      const fired = firings.fire(task, now);
      if (!fired.ok) ending.pause(task, fired.why, now);
      faultPoint('task.firing');
      return { fired, told: fired.ok ? undefined : `⏸️ The task “${task.name}” is paused: ${fired.why}.` };
    });
    if (told !== undefined) parts.tellOwner(told);
    if (!fired.ok) return;
    faultPoint('task.fired');
    isRunning ||= fired.wake.length > 0;
    for (const sessionId of fired.wake) parts.wake(sessionId);
    log.info('task', { task: task.id, due: task.nextAt, lateMs: now - (task.nextAt ?? now), fired: fired.wake.length });
  }

  /** Whatever goes wrong, the next look tries again; the others have their turn. */
  function fireDue(now: number): void {
    const failed = new Set<string>();
    for (const task of table.due(now)) {
      try {
        fire(task, now);
      } catch (error) {
        if (!broken.has(task.id)) log.error('a task did not begin', { task: task.id, error });
        failed.add(task.id);
      }
    }
    broken = failed;
    const next = table.next() ?? Number.POSITIVE_INFINITY;
    nextAt = broken.size > 0 ? now + RETRY_MS : next;
  }

  function lookOnce(now: number): void {
    if (isStopped) return;
    try {
      if (now < lookedAt - BACK_MS) transaction(db, () => bringForward(now));
      lookedAt = now;
      if (now >= nextAt) fireDue(now);
      if (Number.isFinite(nextAt)) arm(nextAt - now);
      else clearTimeout(timer);
      settle(now);
    } catch (error) {
      log.error('tasks were not looked at', { error });
    }
  }

  /** What a clock that was ahead has put far off. What came by it doesn't come again: its times are there. */
  function bringForward(now: number): void {
    for (const task of table.recurring()) {
      let next = latestNext(task.schedule, task.failures, now);
      // What has come is not missed, later on.
      while (next !== undefined && table.hasRun(task.id, next)) next = nextAfter(task.schedule, next);
      if (next === undefined || (task.nextAt ?? next) <= next) continue;
      table.change(task, { nextAt: next }, now);
      nextAt = Number.NEGATIVE_INFINITY;
    }
  }

  function settle(now: number): void {
    if (!isRunning) return;
    transaction(db, () => ending.settle(now));
    isRunning = table.openRuns().length > 0;
  }

  return {
    changes: createTaskChanges({
      ...parts,
      table,
      firings,
      change: createChange(db, parts.audit),
      changed,
      wake(id) {
        isRunning = true;
        parts.wake(id);
      },
    }),
    failed: ending.failed,
    end: ending.end,
    look(now) {
      if (now >= nextAt || isRunning || now < lookedAt) lookOnce(now);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
