/** People, chats, agents, sessions, messages, deliveries: what one owner and one agent need. */
export const firstTables = {
  name: '0001-first-tables',
  sql: `
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  display_name TEXT,
  created_at TEXT NOT NULL
);
CREATE TABLE agent_groups (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  folder TEXT NOT NULL UNIQUE COLLATE NOCASE,
  -- The agent's place in this install's range of sandbox uids.
  uid_ordinal INTEGER NOT NULL UNIQUE,
  created_at TEXT NOT NULL
);
CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users(id),
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin')),
  agent_group_id TEXT REFERENCES agent_groups(id),
  granted_by TEXT REFERENCES users(id),
  granted_at TEXT NOT NULL,
  CHECK (role = 'admin' OR agent_group_id IS NULL)
);
-- NULL is distinct from NULL in a UNIQUE constraint, so that the global grant needs an expression.
CREATE UNIQUE INDEX user_roles_key ON user_roles (user_id, role, ifnull(agent_group_id, ''));
CREATE TABLE agent_group_members (
  user_id TEXT NOT NULL REFERENCES users(id),
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
  added_by TEXT REFERENCES users(id),
  added_at TEXT NOT NULL,
  PRIMARY KEY (user_id, agent_group_id)
);
CREATE TABLE container_configs (
  agent_group_id TEXT PRIMARY KEY REFERENCES agent_groups(id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  model TEXT,
  effort TEXT CHECK (effort IN ('low', 'medium', 'high', 'xhigh', 'max')),
  assistant_name TEXT NOT NULL,
  timezone TEXT NOT NULL,
  max_messages_per_prompt INTEGER NOT NULL DEFAULT 10,
  egress TEXT NOT NULL DEFAULT 'public' CHECK (egress IN ('public', 'none')),
  egress_allow TEXT NOT NULL DEFAULT '[]',
  updated_at TEXT NOT NULL
);
CREATE TABLE messaging_groups (
  id TEXT PRIMARY KEY,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  name TEXT,
  is_group INTEGER NOT NULL DEFAULT 0,
  unknown_sender_policy TEXT NOT NULL DEFAULT 'strict'
    CHECK (unknown_sender_policy IN ('strict', 'request_approval', 'public')),
  created_at TEXT NOT NULL,
  UNIQUE (channel_type, platform_id)
);
CREATE TABLE messaging_group_agents (
  id TEXT PRIMARY KEY,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups(id),
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
  session_mode TEXT NOT NULL DEFAULT 'shared' CHECK (session_mode IN ('shared', 'per-thread', 'agent-shared')),
  engage_mode TEXT NOT NULL CHECK (engage_mode IN ('pattern', 'mention', 'mention-sticky')),
  engage_pattern TEXT,
  sender_scope TEXT NOT NULL DEFAULT 'all' CHECK (sender_scope IN ('all', 'known')),
  ignored_message_policy TEXT NOT NULL DEFAULT 'drop' CHECK (ignored_message_policy IN ('drop', 'accumulate')),
  priority INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  UNIQUE (messaging_group_id, agent_group_id)
);
CREATE TABLE agent_destinations (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
  local_name TEXT NOT NULL COLLATE NOCASE,
  target_type TEXT NOT NULL CHECK (target_type IN ('channel', 'agent')),
  target_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (agent_group_id, local_name)
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
  messaging_group_id TEXT REFERENCES messaging_groups(id),
  thread_id TEXT,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
  -- The host's own highest sequence number, and the highest of the agent's that it has taken over.
  host_seq INTEGER NOT NULL DEFAULT 0,
  received_seq INTEGER NOT NULL DEFAULT 0,
  -- 0 from the start of a sandbox until its outbound.db was read to the end after its death.
  drained INTEGER NOT NULL DEFAULT 1,
  last_active TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX sessions_key ON sessions (agent_group_id, ifnull(messaging_group_id, ''), ifnull(thread_id, ''))
  WHERE status = 'active';
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  -- NULL: between a chat and the host itself (a command and its answer).
  session_id TEXT REFERENCES sessions(id),
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  -- NULL: made by the host, not in a mailbox's sequence.
  seq INTEGER,
  kind TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'paused', 'completed', 'failed')),
  process_after TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  trigger INTEGER NOT NULL DEFAULT 1,
  on_wake INTEGER NOT NULL DEFAULT 0,
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT,
  platform_message_id TEXT,
  user_id TEXT REFERENCES users(id),
  in_reply_to TEXT,
  source_session_id TEXT,
  content TEXT NOT NULL,
  -- How an inbound message ended: reply, silence, notice, stopped, context; NULL while it has not.
  outcome TEXT,
  settled_at TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (session_id, direction, seq)
);
CREATE UNIQUE INDEX messages_platform_key ON messages (ifnull(session_id, ''), channel_type, platform_id, platform_message_id)
  WHERE direction = 'in' AND platform_message_id IS NOT NULL;
CREATE INDEX messages_open ON messages (session_id, seq) WHERE direction = 'in' AND status IN ('pending', 'paused');
CREATE TABLE deliveries (
  message_id TEXT PRIMARY KEY REFERENCES messages(id),
  status TEXT NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  not_before TEXT,
  platform_message_id TEXT,
  error TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX deliveries_open ON deliveries (status) WHERE status IN ('queued', 'sending');
CREATE TABLE dropped_messages (
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  sample_sender TEXT,
  PRIMARY KEY (channel_type, platform_id, reason)
);
CREATE TABLE egress_counters (
  agent_group_id TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  allowed INTEGER NOT NULL,
  day TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_at TEXT NOT NULL,
  sample_reason TEXT,
  PRIMARY KEY (agent_group_id, host, port, allowed, day)
);
CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions(id),
  provider TEXT NOT NULL,
  model TEXT,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd REAL,
  duration_ms INTEGER,
  at TEXT NOT NULL
);
CREATE TABLE hosts (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  token TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_start TEXT NOT NULL,
  started_at TEXT NOT NULL,
  renewed_at TEXT NOT NULL,
  released INTEGER NOT NULL DEFAULT 0
);`,
} as const;
