import type { DatabaseSync } from 'node:sqlite';
import type { Spent } from './decide.ts';

/**
 * What each agent has spent by day. Asked after each answer of a model, so that it must not be summed up over a month of turns
 * each time: a table of this connection alone, which follows `usage` in the same transactions. It is made anew at each start.
 */

export const TOKENS = 'input_tokens + output_tokens + cache_read_tokens + cache_write_tokens';

const TABLE = `CREATE TEMP TABLE IF NOT EXISTS usage_days (
  agent_group_id TEXT NOT NULL, day TEXT NOT NULL, usd REAL NOT NULL, tokens REAL NOT NULL,
  PRIMARY KEY (agent_group_id, day)
) WITHOUT ROWID;
DELETE FROM temp.usage_days;
INSERT INTO temp.usage_days SELECT agent_group_id, day, ifnull(sum(cost_usd), 0), sum(${TOKENS}) FROM usage GROUP BY 1, 2;`;

const TRIGGERS = `
CREATE TEMP TRIGGER IF NOT EXISTS usage_more AFTER INSERT ON usage BEGIN ${add('new', '+')} END;
CREATE TEMP TRIGGER IF NOT EXISTS usage_less AFTER DELETE ON usage BEGIN ${add('old', '-')} END;
CREATE TEMP TRIGGER IF NOT EXISTS usage_other AFTER UPDATE ON usage BEGIN ${add('old', '-')} ${add('new', '+')} END;`;

export function createDays(db: DatabaseSync) {
  db.exec(TABLE + TRIGGERS);
  const spent = db.prepare(
    `SELECT ifnull(sum(usd), 0) AS usd, ifnull(sum(tokens), 0) AS tokens FROM usage_days
     WHERE agent_group_id = ? AND day BETWEEN ? AND ?`,
  );
  const since = db.prepare('SELECT 1 FROM usage_days WHERE agent_group_id = ? AND day >= ? LIMIT 1');
  return {
    /** On that day or later, whatever it was. */
    hasSpent: (agentGroupId: string, day: string): boolean => since.get(agentGroupId, day) !== undefined,
    spent(agentGroupId: string, [first, last]: readonly [string, string]): Spent {
      const row = spent.get(agentGroupId, first, last);
      return { usd: Number(row?.usd ?? 0), tokens: Number(row?.tokens ?? 0) };
    },
  };
}

function add(row: 'new' | 'old', sign: '+' | '-'): string {
  const tokens = TOKENS.replaceAll(/\w+_tokens/g, (column) => `${row}.${column}`);
  return `INSERT INTO usage_days VALUES (${row}.agent_group_id, ${row}.day, ${sign}ifnull(${row}.cost_usd, 0), ${sign}(${tokens}))
    ON CONFLICT DO UPDATE SET usd = usd + excluded.usd, tokens = tokens + excluded.tokens;`;
}
