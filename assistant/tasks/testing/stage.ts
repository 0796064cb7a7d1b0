import assert from 'node:assert/strict';
import { TaskIn } from '@nanoclaw/protocol';
import { createAudit } from '../../../src/audit/index.ts';
import { transaction } from '../../../src/db/group-commit.ts';
import type { FailureKind } from '../../../src/failures.ts';
import { createRoles } from '../../../src/people/roles.ts';
import { createWirings } from '../../../src/routing/wirings.ts';
import { createTakeOver } from '../../../src/take-over/index.ts';
import type { World } from '../../../test/support/directory.ts';
import type { TaskTerms } from '../changes.ts';
import { createTasks } from '../index.ts';

/** Tasks on a real central database, at times that the test chooses. */

export const T0 = Date.parse('2027-02-01T07:30:00Z');
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

export function stage(world: World, gone = new Set<string>()) {
  const { install, owner } = world;
  const { db, messages, sessions, deliveries, agentId } = install;
  const woken: string[] = [];
  const told: string[] = [];
  const broke: { why?: string; isWaiting?: boolean } = {};
  const leftOut: string[] = [];
  const start = () => {
    const takeOver = createTakeOver({ db, messages, deliveries, sessions, tasks: () => tasks });
    const tasks = createTasks({
      db,
      audit: createAudit(db),
      messages,
      sessions,
      takeOver,
      wirings: createWirings(db, createRoles(db)),
      channelHasThreads: () => false,
      isGone: (_, platformId) => gone.has(platformId),
      leavesOut({ name, schedule }) {
        const { why, isWaiting = true } = broke;
        const tell = () => void leftOut.push(name);
        return why === undefined ? undefined : { why, isWaiting: isWaiting && !schedule.recurs, tell };
      },
      wake: (id) => void woken.push(id),
      tellOwner: (text) => void told.push(text),
      log: {
        info() {},
        error: (text, fields) => assert.fail(`${text} ${JSON.stringify(fields)}`),
      },
    });
    return { tasks, takeOver };
  };
  let now = start();
  const create = (terms: TaskTerms, at = T0) => {
    const made = now.tasks.changes.create(
      agentId,
      { prompt: 'Say hello', timezone: 'Europe/Berlin', ...terms },
      undefined,
      owner,
      at,
    );
    assert.ok(made.ok, made.ok ? '' : `${made.code} ${made.detail}`);
    return made.data.task;
  };
  /** What has not ended, oldest first. */
  const open = () =>
    world.query("SELECT * FROM messages WHERE kind = 'task' AND status = 'pending' ORDER BY seq").map((row) => ({
      id: String(row.id),
      sessionId: String(row.session_id),
      content: TaskIn.parse(JSON.parse(String(row.content))),
    }));
  return {
    woken,
    /** Why its agent may spend nothing, where that is so. */
    broke,
    leftOut,
    told,
    create,
    open,
    get tasks() {
      return now.tasks;
    },
    look: (at: number) => now.tasks.look(at),
    /** As after a death: nothing is remembered. */
    restart() {
      now.tasks.stop();
      now = start();
    },
    task: (id: string) => world.query('SELECT * FROM tasks WHERE id = ?', id)[0],
    runs: (id: string) =>
      world.query('SELECT due_at, missed, status FROM task_runs WHERE task_id = ? ORDER BY id', id).map((row) => ({
        due: String(row.due_at).slice(0, 16),
        missed: row.missed,
        status: row.status,
      })),
    /** All that is open ends like that. */
    end(outcome: 'reply' | 'silence', at: number) {
      for (const { id, sessionId } of open()) {
        transaction(db, () => messages.settle(sessionId, id, 'completed', outcome, at));
      }
      now.tasks.look(at);
    },
    fail(kind: FailureKind, message: string, at: number) {
      for (const { sessionId } of open()) {
        const session = sessions.get(sessionId);
        assert.ok(session);
        const failure = { kind, retryable: false, message };
        transaction(db, () => now.takeOver.fail(session, messages.open(sessionId), failure, at));
      }
    },
    notices: () =>
      world
        .query("SELECT content FROM messages WHERE direction = 'out' AND id LIKE 'note-%' ORDER BY rowid")
        .map((row) => String(JSON.parse(String(row.content)).text)),
    [Symbol.dispose]: () => now.tasks.stop(),
  };
}
