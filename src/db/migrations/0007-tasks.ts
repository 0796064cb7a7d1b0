/** What agents do at a time, and each time that they did. */
export const tasks = {
  name: '0007-tasks',
  sql: `
CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id) ON DELETE CASCADE,
  -- Where it speaks.
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups(id) ON DELETE CASCADE,
  thread_id TEXT,
  name TEXT NOT NULL,
  prompt TEXT NOT NULL,
  -- Decides in the sandbox whether the agent is woken.
  script TEXT,
  -- As it was given: a cron expression, a local time, a time with its offset.
  schedule TEXT NOT NULL,
  recurs INTEGER NOT NULL CHECK (recurs IN (0, 1)),
  timezone TEXT NOT NULL,
  catch_up TEXT NOT NULL CHECK (catch_up IN ('skip', 'once', 'all')),
  status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'done', 'cancelled')),
  -- Why the host paused it.
  reason TEXT,
  -- NULL where it isn't active.
  next_at TEXT,
  -- In a row.
  failures INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX tasks_due ON tasks (next_at) WHERE status = 'active';
CREATE INDEX tasks_agent ON tasks (agent_group_id);
CREATE INDEX tasks_chat ON tasks (messaging_group_id);
CREATE TABLE task_runs (
  id INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
  -- The time that it stands for. Once for each: whatever dies, a time comes only once.
  due_at TEXT NOT NULL,
  -- Times before it that it stands for as well.
  missed INTEGER NOT NULL DEFAULT 0,
  fired_at TEXT NOT NULL,
  -- NULL: it was left out.
  message_id TEXT,
  -- NULL while it runs.
  status TEXT CHECK (status IN ('answered', 'silent', 'failed', 'stopped', 'skipped')),
  detail TEXT,
  ended_at TEXT,
  UNIQUE (task_id, due_at)
);
CREATE INDEX task_runs_message ON task_runs (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX task_runs_open ON task_runs (task_id) WHERE ended_at IS NULL;
`,
};
