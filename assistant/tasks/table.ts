import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';
import { newId } from '../../src/db/ids.ts';
import type { Schedule } from './schedule.ts';
import { CATCH_UP } from './words.ts';

/** The tables `tasks` and `task_runs`. What changes something runs inside a transaction. */

export type RunStatus = 'answered' | 'silent' | 'failed' | 'stopped' | 'skipped';

const time = z.string().transform((text) => Date.parse(text));

const Row = z
  .object({
    id: z.string(),
    agent_group_id: z.string(),
    messaging_group_id: z.string(),
    thread_id: z.string().nullable(),
    name: z.string(),
    prompt: z.string(),
    script: z.string().nullable(),
    schedule: z.string(),
    recurs: z.number().transform((one) => one === 1),
    timezone: z.string(),
    catch_up: z.enum(CATCH_UP),
    status: z.enum(['active', 'paused', 'done', 'cancelled']),
    reason: z.string().nullable(),
    next_at: time.nullable(),
    failures: z.number(),
  })
  .transform(
    ({ agent_group_id, messaging_group_id, thread_id, schedule, recurs, timezone, catch_up, next_at, ...row }) => ({
      ...row,
      agentGroupId: agent_group_id,
      chatId: messaging_group_id,
      threadId: thread_id,
      schedule: { text: schedule, recurs, timezone } satisfies Schedule,
      catchUp: catch_up,
      nextAt: next_at,
    }),
  );
export type Task = z.infer<typeof Row>;

const Run = z
  .object({
    id: z.number(),
    task_id: z.string(),
    due_at: z.string(),
    missed: z.number(),
    fired_at: z.string(),
    message_id: z.string().nullable(),
    status: z.string().nullable(),
    detail: z.string().nullable(),
    ended_at: z.string().nullable(),
  })
  .transform(({ task_id, due_at, fired_at, message_id, ended_at, ...run }) => ({
    ...run,
    taskId: task_id,
    dueAt: due_at,
    firedAt: fired_at,
    messageId: message_id,
    endedAt: ended_at,
  }));
export type Run = z.infer<typeof Run>;

/** What is kept of a task's runs. */
const KEPT_RUNS = 500;
/** What is kept of an agent's tasks that have ended, if housekeeping has not come before. */
const KEPT_ENDED = 1_000;

export type NewTask = Pick<
  Task,
  'agentGroupId' | 'chatId' | 'threadId' | 'name' | 'prompt' | 'script' | 'catchUp' | 'schedule'
> & {
  nextAt: number;
  createdBy: string;
};
/** What can become another. */
export type Fields = Partial<
  Pick<
    Task,
    | 'chatId'
    | 'threadId'
    | 'name'
    | 'prompt'
    | 'script'
    | 'catchUp'
    | 'schedule'
    | 'status'
    | 'reason'
    | 'nextAt'
    | 'failures'
  >
>;

export type Table = ReturnType<typeof createTable>;

export function createTable(db: DatabaseSync) {
  const byId = db.prepare('SELECT * FROM tasks WHERE id = ?');
  const insert = db.prepare(
    `INSERT INTO tasks (id, agent_group_id, messaging_group_id, thread_id, name, prompt, script, schedule, recurs, timezone,
       catch_up, status, next_at, created_by, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?)`,
  );
  const forget = db.prepare(
    `DELETE FROM tasks WHERE id IN (
       SELECT id FROM tasks WHERE agent_group_id = ? AND status IN ('done', 'cancelled')
       ORDER BY updated_at DESC LIMIT -1 OFFSET ${KEPT_ENDED})
     AND NOT EXISTS (SELECT 1 FROM task_runs INDEXED BY task_runs_open WHERE task_id = tasks.id AND ended_at IS NULL)`,
  );
  const update = db.prepare(
    `UPDATE tasks SET messaging_group_id = ?, thread_id = ?, name = ?, prompt = ?, script = ?, schedule = ?, recurs = ?,
       timezone = ?, catch_up = ?, status = ?, reason = ?, next_at = ?, failures = ?, updated_at = ? WHERE id = ?`,
  );
  const due = db.prepare("SELECT * FROM tasks WHERE status = 'active' AND next_at <= ? ORDER BY next_at LIMIT 20");
  const next = db.prepare("SELECT min(next_at) AS at FROM tasks WHERE status = 'active'");
  const count = db.prepare(
    "SELECT count(*) AS n FROM tasks WHERE agent_group_id = ? AND status IN ('active', 'paused')",
  );
  const addRun = db.prepare(
    `INSERT INTO task_runs (task_id, due_at, missed, fired_at, message_id, status, detail, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const prune = db.prepare(
    `DELETE FROM task_runs WHERE task_id = ?1 AND ended_at IS NOT NULL AND id <= (
       SELECT id FROM task_runs WHERE task_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${KEPT_RUNS})`,
  );
  const endRun = db.prepare(
    'UPDATE task_runs SET status = ?, detail = ?, ended_at = ? WHERE id = ? AND ended_at IS NULL',
  );
  const open = db.prepare('SELECT * FROM task_runs INDEXED BY task_runs_open WHERE ended_at IS NULL ORDER BY id');
  const isOpen = db.prepare('SELECT 1 FROM task_runs INDEXED BY task_runs_open WHERE task_id = ? AND ended_at IS NULL');
  const failedBeside = db.prepare(
    "SELECT 1 FROM task_runs WHERE task_id = ? AND fired_at = ? AND status = 'failed' AND id <> ?",
  );
  const active = db.prepare("SELECT * FROM tasks WHERE status = 'active' AND recurs = 1");
  const runAt = db.prepare('SELECT 1 FROM task_runs WHERE task_id = ? AND due_at = ?');
  const byMessage = db.prepare('SELECT * FROM task_runs WHERE message_id = ?');
  const history = db.prepare('SELECT * FROM task_runs WHERE task_id = ? ORDER BY id DESC LIMIT ?');

  function get(id: string): Task | undefined {
    const row = byId.get(id);
    return row && Row.parse(row);
  }

  return {
    get,
    add(task: NewTask, now: number): Task {
      forget.run(task.agentGroupId);
      const id = newId('task', now);
      const { text, recurs, timezone } = task.schedule;
      insert.run(
        id,
        task.agentGroupId,
        task.chatId,
        task.threadId,
        task.name,
        task.prompt,
        task.script,
        text,
        recurs ? 1 : 0,
        timezone,
        task.catchUp,
        isoTime(task.nextAt),
        task.createdBy,
        isoTime(now),
        isoTime(now),
      );
      return Row.parse(byId.get(id));
    },
    change(task: Task, fields: Fields, now: number): Task {
      const changed = { ...task, ...fields };
      const { text, recurs, timezone } = changed.schedule;
      update.run(
        changed.chatId,
        changed.threadId,
        changed.name,
        changed.prompt,
        changed.script,
        text,
        recurs ? 1 : 0,
        timezone,
        changed.catchUp,
        changed.status,
        changed.reason,
        changed.nextAt === null ? null : isoTime(changed.nextAt),
        changed.failures,
        isoTime(now),
        task.id,
      );
      return changed;
    },
    /** The first of them: after a long absence, each takes a while. */
    due: (now: number): Task[] => due.all(isoTime(now)).map((row) => Row.parse(row)),
    /** When the next of all is due. */
    next(): number | undefined {
      const at = next.get()?.at;
      return typeof at === 'string' ? Date.parse(at) : undefined;
    },
    countLive: (agentGroupId: string): number => Number(count.get(agentGroupId)?.n),
    /** False: that time has come before. `messageId`: null when it is left out. */
    addRun(
      taskId: string,
      dueAt: number,
      missed: number,
      messageId: string | null,
      detail: string | null,
      now: number,
    ): boolean {
      const ended = messageId === null;
      const { changes } = addRun.run(
        taskId,
        isoTime(dueAt),
        missed,
        isoTime(now),
        messageId,
        ended ? 'skipped' : null,
        detail,
        ended ? isoTime(now) : null,
      );
      prune.run(taskId);
      return changes > 0;
    },
    endRun(run: Run, status: RunStatus, detail: string | null, now: number): boolean {
      return endRun.run(status, detail, isoTime(now), run.id).changes > 0;
    },
    openRuns: (): Run[] => open.all().map((row) => Run.parse(row)),
    /** Another that was fired together with it has failed. */
    hasFailedBeside: ({ id, taskId, firedAt }: Run): boolean => failedBeside.get(taskId, firedAt, id) !== undefined,
    recurring: (): Task[] => active.all().map((row) => Row.parse(row)),
    isRunning: (taskId: string): boolean => isOpen.get(taskId) !== undefined,
    hasRun: (taskId: string, dueAt: number): boolean => runAt.get(taskId, isoTime(dueAt)) !== undefined,
    runOf(messageId: string): Run | undefined {
      const row = byMessage.get(messageId);
      return row && Run.parse(row);
    },
    history: (taskId: string, limit: number): Run[] => history.all(taskId, limit).map((row) => Run.parse(row)),
  };
}
