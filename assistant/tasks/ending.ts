import type { DatabaseSync } from 'node:sqlite';
import { cleanText } from '@nanoclaw/protocol';
import type { Sessions } from '../../src/db/sessions.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { Tasking } from '../../src/tasking.ts';
import { afterFailure, MOST_FAILURES } from './decide.ts';
import type { Run, RunStatus, Table, Task } from './table.ts';
import { inWords } from './words.ts';

/** What becomes of a firing: it is noted; one that has failed comes again, until it has failed too often. */

export interface EndingParts {
  db: DatabaseSync;
  table: Table;
  takeOver: Pick<TakeOver, 'tellAgent'>;
  sessions: Pick<Sessions, 'get'>;
  /** A time has changed. */
  changed(): void;
}

export interface Ending extends Tasking {
  /** Inside a transaction: notes how those ended that have. */
  settle(now: number): void;
  /** Inside a transaction. */
  pause(task: Task, why: string, now: number): void;
  /** Inside a transaction: the run that the message belongs to, if it does, ends without an answer. */
  end(messageId: string, why: string, now: number): void;
}

const OUTCOMES: Readonly<Record<string, RunStatus>> = { reply: 'answered', silence: 'silent', notice: 'failed' };
const SHOWN_ERROR = 300;

export function createEnding({ db, table, takeOver, sessions, changed }: EndingParts): Ending {
  const message = db.prepare('SELECT status, outcome FROM messages WHERE id = ?');
  // In no other chat: what is planned in one may be a secret in the next.
  const newest = db.prepare(
    `SELECT id FROM sessions WHERE agent_group_id = ? AND ifnull(messaging_group_id, ?2) = ?2 AND status = 'active'
     ORDER BY last_active DESC LIMIT 1`,
  );

  function pause(task: Task, why: string, now: number): void {
    table.change(task, { status: 'paused', reason: why, nextAt: null }, now);
    changed();
    const session = sessions.get(String(newest.get(task.agentGroupId, task.chatId)?.id));
    const text = `The task “${task.name}” (${task.id}) is paused: ${why}.`;
    if (session) takeOver.tellAgent(session, 'task', 'paused', text, now);
  }

  /** What comes next, in words. */
  function rearm(task: Task, run: Run, now: number): string {
    const failures = task.failures + (table.hasFailedBeside(run) ? 0 : 1);
    // Cancelled or paused meanwhile: so it stays.
    if (task.status === 'cancelled' || task.status === 'paused') {
      table.change(task, { failures }, now);
      return `It is ${task.status}.`;
    }
    const next = afterFailure(task.schedule, failures, now);
    if (next === undefined) {
      pause({ ...task, failures }, `it failed ${failures} times in a row`, now);
      return failures < MOST_FAILURES
        ? 'It has no further time.'
        : `It failed ${failures} times in a row and is paused: \`ncl tasks resume ${task.id}\` lets it go on.`;
    }
    table.change(task, { failures, status: 'active', nextAt: Math.max(next, task.nextAt ?? next) }, now);
    changed();
    return `It comes again ${inWords(Math.max(next, task.nextAt ?? next), task.schedule.timezone)}.`;
  }

  return {
    pause,
    end(messageId, why, now) {
      const run = table.runOf(messageId);
      if (run) table.endRun(run, 'stopped', why, now);
    },
    failed({ id }, failure, text, now) {
      const run = table.runOf(id);
      const task = run && table.get(run.taskId);
      const error = cleanText(failure.message).slice(0, SHOWN_ERROR);
      if (!task || !table.endRun(run, 'failed', error, now)) return text;
      const what =
        failure.kind === 'script'
          ? `⚠️ The script of the task “${task.name}” failed: ${error}.`
          : `${text}\nThat was the task “${task.name}”.`;
      return `${what} ${rearm(task, run, now)}`;
    },
    settle(now) {
      for (const run of table.openRuns()) {
        const found = run.messageId === null ? undefined : message.get(run.messageId);
        if (found && (found.status === 'pending' || found.status === 'paused')) continue;
        const status = OUTCOMES[String(found?.outcome)] ?? 'stopped';
        table.endRun(run, status, null, now);
        const task = table.get(run.taskId);
        if (task && task.failures > 0 && status !== 'failed') table.change(task, { failures: 0 }, now);
      }
    },
  };
}
