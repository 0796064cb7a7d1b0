import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Session } from '../../src/db/sessions.ts';
import type { Figures } from '../../src/spending.ts';
import { PERIODS, UNITS } from './amounts.ts';
import { createDays, TOKENS } from './days.ts';
import type { Budget, Spent } from './decide.ts';
import { dayOf } from './periods.ts';

/** The tables `usage`, `budgets` and `budget_notices`. What changes something runs inside a transaction. */

const BudgetRow = z
  .object({
    agent_group_id: z.string().nullable(),
    period: z.enum(PERIODS),
    unit: z.enum(UNITS),
    amount: z.number().nullable(),
  })
  .transform(({ agent_group_id, ...row }): Budget => ({ ...row, agentGroupId: agent_group_id, isDefault: false }));

/** What is said about a period that is long over. */
const KEPT_NOTICES_MS = 70 * 86_400_000;

export type Table = ReturnType<typeof createTable>;

export function createTable(db: DatabaseSync) {
  const days = createDays(db);
  // What a sandbox names has to be its own.
  const about = db.prepare(
    `SELECT m.id, r.task_id AS task FROM messages m LEFT JOIN task_runs r ON r.message_id = m.id
     WHERE m.id = ? AND m.session_id = ? AND m.direction = 'in'`,
  );
  const book = db.prepare(
    `INSERT INTO usage (agent_group_id, session_id, turn, message_id, task_id, provider, model, input_tokens, output_tokens,
       cache_read_tokens, cache_write_tokens, cost_usd, duration_ms, is_final, day, at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (session_id, turn) DO UPDATE SET
       message_id = ifnull(message_id, excluded.message_id), task_id = ifnull(task_id, excluded.task_id),
       model = excluded.model, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
       cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
       cost_usd = excluded.cost_usd, duration_ms = excluded.duration_ms, is_final = excluded.is_final, day = excluded.day,
       at = excluded.at
     WHERE is_final = 0`,
  );
  const spentOn = db.prepare(
    `SELECT ifnull(sum(cost_usd), 0) AS usd, ifnull(sum(${TOKENS}), 0) AS tokens FROM usage WHERE message_id = ?`,
  );
  const spentIn = db.prepare(
    `SELECT ifnull(sum(cost_usd), 0) AS usd, ifnull(sum(${TOKENS}), 0) AS tokens, count(*) AS turns FROM usage
     WHERE session_id = ?`,
  );
  const budgets = db.prepare('SELECT agent_group_id, period, unit, amount FROM budgets ORDER BY rowid');
  const set = db.prepare(
    `INSERT INTO budgets (agent_group_id, period, unit, amount, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (ifnull(agent_group_id, ''), period, unit)
     DO UPDATE SET amount = excluded.amount, set_by = excluded.set_by, set_at = excluded.set_at`,
  );
  const unset = db.prepare("DELETE FROM budgets WHERE ifnull(agent_group_id, '') = ? AND period = ? AND unit = ?");
  const told = db.prepare('INSERT OR IGNORE INTO budget_notices (key, agent_group_id, at) VALUES (?, ?, ?)');
  const forget = db.prepare('DELETE FROM budget_notices WHERE at < ?');
  const tellAgain = db.prepare('DELETE FROM budget_notices WHERE instr(key, ?) > 0');
  const agents = db.prepare('SELECT agent_group_id AS id, timezone FROM container_configs');
  const timezone = db.prepare('SELECT timezone FROM container_configs WHERE agent_group_id = ?');

  return {
    /** Figures that are final are never changed; those so far count in the day of the newest, or midnight would free a turn. */
    book(session: Session, figures: Figures, message: string | null, now: number): void {
      const day = dayOf(now, String(timezone.get(session.agentGroupId)?.timezone ?? 'UTC'));
      const found = message === null ? undefined : about.get(message, session.id);
      book.run(
        session.agentGroupId,
        session.id,
        figures.turn ?? null,
        found ? String(found.id) : null,
        found?.task ?? null,
        figures.provider,
        figures.model ?? null,
        Math.round(figures.inputTokens),
        Math.round(figures.outputTokens),
        Math.round(figures.cacheReadTokens ?? 0),
        Math.round(figures.cacheWriteTokens ?? 0),
        figures.costUsd ?? null,
        figures.durationMs === undefined ? null : Math.round(figures.durationMs),
        figures.soFar ? 0 : 1,
        day,
        isoTime(now),
      );
    },
    spent: days.spent,
    hasSpent: days.hasSpent,
    /** Over all the tries of that message. */
    spentOn: (messageId: string): Spent => toSpent(spentOn.get(messageId)),
    spentIn(sessionId: string): Spent & { turns: number } {
      const row = spentIn.get(sessionId);
      return { ...toSpent(row), turns: Number(row?.turns ?? 0) };
    },
    agents: (): { id: string; timezone: string }[] =>
      agents.all().map((row) => ({ id: String(row.id), timezone: String(row.timezone) })),
    budgets: (): Budget[] => budgets.all().map((row) => BudgetRow.parse(row)),
    set({ agentGroupId, period, unit, amount }: Omit<Budget, 'isDefault'>, by: string, now: number): void {
      set.run(agentGroupId, period, unit, amount, by, isoTime(now));
    },
    /** False: it was not set. */
    unset: ({ agentGroupId, period, unit }: Pick<Budget, 'agentGroupId' | 'period' | 'unit'>): boolean =>
      unset.run(agentGroupId ?? '', period, unit).changes > 0,
    /** False: it was said before. */
    tell(key: string, agentGroupId: string | null, now: number): boolean {
      forget.run(isoTime(now - KEPT_NOTICES_MS));
      return told.run(key, agentGroupId, isoTime(now)).changes > 0;
    },
    /** What was said about that budget was said of another one. */
    tellAgain(which: Pick<Budget, 'agentGroupId' | 'period' | 'unit'>): void {
      tellAgain.run(`:${noticeKey(which)}:`);
    },
  };
}

/** How notices name a budget. */
export function noticeKey({ agentGroupId, period, unit }: Pick<Budget, 'agentGroupId' | 'period' | 'unit'>): string {
  return [agentGroupId ?? 'all', period, unit].join(':');
}

function toSpent(row: Record<string, unknown> | undefined): Spent {
  return { usd: Number(row?.usd ?? 0), tokens: Number(row?.tokens ?? 0) };
}
