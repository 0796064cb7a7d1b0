/** What agents spend, by turn, and what they may. Figures outlive their session: what was spent was spent. */
export const usage = {
  name: '0008-usage',
  sql: `
CREATE TABLE usage_of_turns (
  id INTEGER PRIMARY KEY,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id) ON DELETE CASCADE,
  -- It may be gone.
  session_id TEXT NOT NULL,
  -- The runner's own name for the turn; figures that come again under it take the place of those before.
  turn TEXT,
  message_id TEXT,
  task_id TEXT,
  provider TEXT NOT NULL,
  model TEXT,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  -- NULL where the provider reports no money.
  cost_usd REAL,
  duration_ms INTEGER,
  -- 0 while the turn runs, and for ever where it died: the figures of its answers until then, the money reckoned by them.
  is_final INTEGER NOT NULL DEFAULT 1,
  -- In the agent's time zone.
  day TEXT NOT NULL,
  at TEXT NOT NULL,
  UNIQUE (session_id, turn)
);
INSERT INTO usage_of_turns (id, agent_group_id, session_id, provider, model, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cost_usd, duration_ms, day, at)
  SELECT u.id, s.agent_group_id, u.session_id, u.provider, u.model, u.input_tokens, u.output_tokens, u.cache_read_tokens,
    u.cache_write_tokens, u.cost_usd, u.duration_ms, substr(u.at, 1, 10), u.at
  FROM usage u JOIN sessions s ON s.id = u.session_id;
DROP TABLE usage;
ALTER TABLE usage_of_turns RENAME TO usage;
CREATE INDEX usage_agent_day ON usage (agent_group_id, day, cost_usd, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens);
CREATE INDEX usage_message ON usage (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE budgets (
  -- NULL: for all agents together.
  agent_group_id TEXT REFERENCES agent_groups(id) ON DELETE CASCADE,
  period TEXT NOT NULL CHECK (period IN ('day', 'month', 'task')),
  unit TEXT NOT NULL CHECK (unit IN ('usd', 'tokens')),
  -- NULL: no limit, not even the default one.
  amount REAL CHECK (amount >= 0),
  set_by TEXT NOT NULL,
  set_at TEXT NOT NULL
);
CREATE UNIQUE INDEX budgets_key ON budgets (ifnull(agent_group_id, ''), period, unit);
-- What was said about a budget, and where: once is enough.
CREATE TABLE budget_notices (
  key TEXT PRIMARY KEY,
  agent_group_id TEXT REFERENCES agent_groups(id) ON DELETE CASCADE,
  at TEXT NOT NULL
);
`,
} as const;
