import { until } from '../support/until.ts';
import type { Stage } from './stage.ts';

/** What a scenario does with the tasks of its agent. */

/** Of what was missed, so many are made up for at once. */
const AT_ONCE = 24;
const MINUTE_MS = 60_000;
const PATIENCE_MS = 120_000;

export function createTasks(stage: Stage, agentId: string, fill: (text: string) => string) {
  function idOf(name: string): string {
    const [row] = stage.query(
      'SELECT id FROM tasks WHERE agent_group_id = ? AND name = ? ORDER BY created_at DESC LIMIT 1',
      agentId,
      fill(name),
    );
    if (!row) throw new Error(`There is no task “${name}”.`);
    return String(row.id);
  }

  const open = (id: string) => stage.query('SELECT 1 FROM task_runs WHERE task_id = ? AND ended_at IS NULL', id).length;
  const firstOfAll = () =>
    stage.query(
      'SELECT 1 FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE t.agent_group_id = ? AND r.ended_at IS NULL',
      agentId,
    ).length;

  async function must(...words: readonly string[]): Promise<void> {
    const { ok, text } = await stage.ncl(words);
    if (!ok) throw new Error(text);
  }

  /** A minute each, as many at once as a host makes up for. */
  async function pass(id: string, minutes: number): Promise<void> {
    for (let left = minutes; left > 0; left -= AT_ONCE) {
      stage.setClock(stage.now() + Math.min(left, AT_ONCE) * MINUTE_MS);
      const due = new Date(stage.now()).toISOString();
      // So that nobody waits for the second in which it would look by itself.
      await must('tasks', 'update', id, '--catch-up', 'all');
      await until(
        () => stage.query('SELECT 1 FROM tasks WHERE id = ? AND next_at > ?', id, due).length > 0 && open(id) === 0,
        PATIENCE_MS,
      );
    }
  }

  return {
    async fire(name: string, times: number): Promise<void> {
      const id = idOf(name);
      if (times > 1) return pass(id, times);
      await must('tasks', 'run-now', id);
      await until(() => open(id) === 0, PATIENCE_MS);
    },
    async hasRun(name: string, statuses: readonly string[]): Promise<void> {
      const id = idOf(name);
      const ran = () =>
        stage.query('SELECT status FROM task_runs WHERE task_id = ? ORDER BY id', id).map((row) => String(row.status));
      await until(() => ran().join() === statuses.join(), PATIENCE_MS).catch(() => {
        throw new Error(`It has run: ${ran().join(', ')}.`);
      });
    },
    settled: () => until(() => firstOfAll() === 0, PATIENCE_MS),
    async cancel(): Promise<void> {
      const left = stage.query(
        "SELECT id FROM tasks WHERE agent_group_id = ? AND status IN ('active', 'paused')",
        agentId,
      );
      for (const { id } of left) await stage.ncl(['tasks', 'cancel', String(id)]);
    },
  };
}
