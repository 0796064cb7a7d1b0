import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { By } from '../../admin/directory/index.ts';
import type { Grouping } from './amounts.ts';

/** What was spent, summed up by what it was spent on. */

export interface Line {
  /** The day, the id, the name: what it is summed up by. Empty: none of that kind. */
  key: string;
  /** For a person. */
  label: string;
  turns: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** null: no provider has reported money. */
  costUsd: number | null;
  /** Wall time of all its turns. */
  durationMs: number;
}

export interface Query {
  by: Grouping;
  /** In ms since the epoch. */
  since: number;
  agentGroupId?: string | undefined;
}

/** SQL: the key, and what a person is shown for it. */
const KEYS: Readonly<Record<Grouping, { key: string; label: string; order: string }>> = {
  day: { key: 'u.day', label: 'u.day', order: 'key' },
  agent: { key: 'u.agent_group_id', label: 'g.name', order: 'cost DESC, tokens DESC' },
  session: {
    key: 'u.session_id',
    label: "ifnull(m.name, ifnull(m.channel_type || '/' || m.platform_id, u.session_id))",
    order: 'cost DESC, tokens DESC',
  },
  task: {
    key: "ifnull(u.task_id, '')",
    label: "ifnull(t.name, ifnull(u.task_id, 'no task'))",
    order: 'cost DESC, tokens DESC',
  },
  provider: { key: 'u.provider', label: 'u.provider', order: 'cost DESC, tokens DESC' },
  model: { key: "ifnull(u.model, '')", label: "ifnull(u.model, 'not said')", order: 'cost DESC, tokens DESC' },
};
/** Days and models are few; of sessions, those count that cost most. */
const MOST = 1_000;

export function createFigures(db: DatabaseSync) {
  return ({ by: grouping, since, agentGroupId }: Query, by: By): Line[] => {
    const { key, label, order } = KEYS[grouping];
    const rows = db
      .prepare(
        `SELECT ${key} AS key, max(${label}) AS label, count(*) AS turns, sum(u.input_tokens) AS input,
           sum(u.output_tokens) AS output, sum(u.cache_read_tokens) AS read, sum(u.cache_write_tokens) AS written,
           sum(u.cost_usd) AS cost, max(g.name) AS agent, max(s.thread_id) AS thread, ifnull(sum(u.duration_ms), 0) AS ms,
           sum(u.input_tokens + u.output_tokens + u.cache_read_tokens + u.cache_write_tokens) AS tokens
         FROM usage u LEFT JOIN agent_groups g ON g.id = u.agent_group_id LEFT JOIN sessions s ON s.id = u.session_id
           LEFT JOIN messaging_groups m ON m.id = s.messaging_group_id LEFT JOIN tasks t ON t.id = u.task_id
         WHERE u.at >= ?1 AND (?2 IS NULL OR u.agent_group_id = ?2) AND (?3 IS NULL OR u.agent_group_id = ?3)
         GROUP BY 1 ORDER BY ${order} LIMIT ${MOST}`,
      )
      .all(isoTime(since), agentGroupId ?? null, by.scope);
    const labels = grouping === 'session' ? labelsOf(rows) : rows.map((row) => String(row.label));
    return rows.map((row, index) => ({
      key: String(row.key),
      label: labels[index] ?? '',
      turns: Number(row.turns),
      inputTokens: Number(row.input),
      outputTokens: Number(row.output),
      cacheReadTokens: Number(row.read),
      cacheWriteTokens: Number(row.written),
      costUsd: row.cost === null ? null : Number(row.cost),
      durationMs: Number(row.ms),
    }));
  };
}

/** Of sessions: with what tells one from another, where several have the same name. */
function labelsOf(rows: readonly Record<string, unknown>[]): string[] {
  let labels = rows.map((row) => String(row.label));
  for (const part of ['agent', 'thread', 'key']) {
    const count = Map.groupBy(labels, (label) => label);
    labels = labels.map((label, index) => {
      const value = rows[index]?.[part];
      const isNew = (count.get(label)?.length ?? 0) > 1 && value !== null && value !== undefined;
      return isNew ? `${label} · ${String(value)}` : label;
    });
  }
  return labels;
}
