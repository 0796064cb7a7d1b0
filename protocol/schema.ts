/**
 * The tables of the two mailbox files.
 *
 * The host compares `sqlite_schema` of an agent's file with these texts to the letter before it reads a row, so a
 * released text is never edited: a change is a new version, with a step in `upgrade.ts`.
 */

export const INBOUND_VERSION = 1;
export const OUTBOUND_VERSION = 1;

/** `inbound.db`: written by the host alone, published whole, opened immutable by the runner. */
export const INBOUND_SCHEMA = {
  messages_in: `CREATE TABLE messages_in (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  status TEXT NOT NULL,
  process_after TEXT,
  tries INTEGER NOT NULL,
  trigger INTEGER NOT NULL,
  on_wake INTEGER NOT NULL,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT,
  content TEXT NOT NULL,
  source_session_id TEXT
)`,
  delivered: `CREATE TABLE delivered (
  message_out_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  platform_message_id TEXT,
  error TEXT,
  at TEXT NOT NULL
)`,
  received: `CREATE TABLE received (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL
)`,
  destinations: `CREATE TABLE destinations (
  name TEXT PRIMARY KEY,
  display_name TEXT,
  type TEXT NOT NULL,
  channel_type TEXT,
  platform_id TEXT,
  agent_group_id TEXT
)`,
  session_routing: `CREATE TABLE session_routing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT
)`,
} as const;

/** `outbound.db`: written inside the sandbox alone; to the host it is hostile input. */
export const OUTBOUND_SCHEMA = {
  messages_out: `CREATE TABLE messages_out (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  in_reply_to TEXT,
  timestamp TEXT NOT NULL,
  deliver_after TEXT,
  kind TEXT NOT NULL,
  platform_id TEXT,
  channel_type TEXT,
  thread_id TEXT,
  content TEXT NOT NULL
)`,
  processing_ack: `CREATE TABLE processing_ack (
  message_id TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  status_changed TEXT NOT NULL,
  error TEXT
)`,
  session_state: `CREATE TABLE session_state (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at TEXT NOT NULL
)`,
  container_state: `CREATE TABLE container_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  phase TEXT NOT NULL,
  updated_at TEXT NOT NULL
)`,
  tools_in_flight: `CREATE TABLE tools_in_flight (
  id TEXT PRIMARY KEY,
  tool TEXT NOT NULL,
  started_at TEXT NOT NULL,
  declared_timeout_ms INTEGER
)`,
} as const;
