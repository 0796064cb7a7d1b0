/** Rights, approvals, remembered engagement and the audit log: what many people, chats and agents need. */
export const people = {
  name: '0002-people',
  sql: `
ALTER TABLE messaging_group_agents ADD COLUMN exclusive INTEGER NOT NULL DEFAULT 0 CHECK (exclusive IN (0, 1));
ALTER TABLE messaging_groups ADD COLUMN denied_at TEXT;
ALTER TABLE container_configs ADD COLUMN cli_scope TEXT NOT NULL DEFAULT 'group'
  CHECK (cli_scope IN ('disabled', 'group', 'global'));
ALTER TABLE container_configs ADD COLUMN mcp_servers TEXT NOT NULL DEFAULT '{}';
ALTER TABLE container_configs ADD COLUMN additional_mounts TEXT NOT NULL DEFAULT '[]';
-- The owner's first agent speaks for its owner.
UPDATE container_configs SET cli_scope = 'global'
  WHERE agent_group_id = (SELECT id FROM agent_groups ORDER BY uid_ordinal LIMIT 1);
CREATE INDEX user_roles_scope ON user_roles (agent_group_id, role);
CREATE INDEX members_group ON agent_group_members (agent_group_id);
CREATE INDEX wirings_agent ON messaging_group_agents (agent_group_id);
CREATE INDEX destinations_target ON agent_destinations (target_type, target_id);
CREATE INDEX sessions_chat ON sessions (messaging_group_id);
CREATE INDEX sessions_recent ON sessions (last_active);
-- Without it each session that goes walks through all of it.
CREATE INDEX usage_session ON usage (session_id);
CREATE TABLE denied_senders (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups(id),
  user_id TEXT NOT NULL,
  denied_by TEXT,
  denied_at TEXT NOT NULL,
  PRIMARY KEY (agent_group_id, user_id)
);
-- The chat in which a user can be reached alone.
CREATE TABLE user_dms (
  user_id TEXT NOT NULL REFERENCES users(id),
  channel_type TEXT NOT NULL,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups(id),
  resolved_at TEXT NOT NULL,
  PRIMARY KEY (user_id, channel_type)
);
-- Threads in which an agent stays engaged without being mentioned again.
CREATE TABLE engagements (
  wiring_id TEXT NOT NULL REFERENCES messaging_group_agents(id),
  thread_id TEXT NOT NULL,
  since TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (wiring_id, thread_id)
);
-- What was said beside an agent, until it engages there. Bounded for each wiring and thread.
CREATE TABLE backlog (
  id INTEGER PRIMARY KEY,
  wiring_id TEXT NOT NULL REFERENCES messaging_group_agents(id),
  thread_id TEXT NOT NULL,
  platform_message_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  content TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  UNIQUE (wiring_id, platform_message_id)
);
CREATE INDEX backlog_thread ON backlog (wiring_id, thread_id, id);
CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  -- naming: decided for, and the approver's next words in that chat are the name that is still missing.
  status TEXT NOT NULL CHECK (status IN ('pending', 'naming', 'approved', 'denied', 'expired', 'failed')),
  -- What it is about; while one is open there is no second one for it.
  subject TEXT NOT NULL,
  -- Whose admins may decide; NULL: only global admins and owners.
  agent_group_id TEXT,
  session_id TEXT,
  requested_by TEXT,
  -- Where whoever asked is told.
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  -- JSON: what can be chosen, each with its frozen action.
  options TEXT NOT NULL,
  -- How many came in beside those that are held.
  more INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  -- When the next approver is asked; NULL when there is none left.
  escalate_at TEXT,
  decided_at TEXT,
  decided_by TEXT,
  -- The option that was chosen, and what came of it.
  decision INTEGER,
  result TEXT
);
CREATE UNIQUE INDEX approvals_open ON approvals (kind, subject) WHERE status IN ('pending', 'naming');
CREATE INDEX approvals_status ON approvals (status, expires_at);
-- Where an approval was shown, and to whom.
CREATE TABLE approval_cards (
  approval_id TEXT NOT NULL REFERENCES approvals(id) ON DELETE CASCADE,
  user_id TEXT NOT NULL,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  -- In messages and deliveries; the platform's own id is there.
  message_id TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (approval_id, user_id)
);
-- Events that wait for a decision, as the adapter gave them; replayed in their order.
CREATE TABLE held_events (
  id INTEGER PRIMARY KEY,
  approval_id TEXT NOT NULL REFERENCES approvals(id) ON DELETE CASCADE,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  platform_message_id TEXT NOT NULL,
  event TEXT NOT NULL,
  at TEXT NOT NULL,
  UNIQUE (approval_id, channel_type, platform_id, platform_message_id)
);
-- One-time codes that make whoever sends one the owner. Only their hash is kept.
CREATE TABLE owner_codes (
  code_hash TEXT PRIMARY KEY,
  agent_group_id TEXT REFERENCES agent_groups(id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used_at TEXT,
  used_by TEXT
);
CREATE TABLE audit_segments (
  segment INTEGER PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  -- The hash before the first row, so that what follows a dropped segment still hangs together.
  first_prev TEXT NOT NULL,
  last_seq INTEGER,
  last_hash TEXT,
  opened_at TEXT NOT NULL,
  sealed_at TEXT,
  dropped_at TEXT
);
CREATE TABLE audit_log (
  seq INTEGER PRIMARY KEY,
  segment INTEGER NOT NULL REFERENCES audit_segments(segment),
  at TEXT NOT NULL,
  -- A user id, or host, or agent:<agent group id>.
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  -- The id of what it is about.
  subject TEXT NOT NULL,
  -- JSON.
  detail TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit_log (subject);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_log
  WHEN (SELECT dropped_at FROM audit_segments WHERE segment = OLD.segment) IS NULL
  BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- What an answer on a platform replies to.
CREATE INDEX deliveries_platform ON deliveries (platform_message_id) WHERE platform_message_id IS NOT NULL;`,
} as const;
