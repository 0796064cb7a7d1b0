/** What agents ask people. */
export const questions = {
  name: '0004-questions',
  sql: `
CREATE TABLE questions (
  id TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
  -- The agent's own name for it: the same again is the same question.
  key TEXT NOT NULL,
  -- The message whose turn asks; NULL outside of a turn.
  turn_of TEXT,
  channel_type TEXT, platform_id TEXT, thread_id TEXT,
  title TEXT NOT NULL, body TEXT NOT NULL,
  -- JSON: labels; and the users who may answer, none for everybody who may talk to the agent there.
  options TEXT NOT NULL, asked_of TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'answered', 'withdrawn', 'expired', 'failed')),
  -- 1: a tool of the agent's waits for what is reported under report_seq, until waits_until at the latest. 0: it is told by a message.
  waits INTEGER NOT NULL CHECK (waits IN (0, 1)),
  -- 1: the tool waits only until it is shown.
  card INTEGER NOT NULL CHECK (card IN (0, 1)),
  report_seq INTEGER NOT NULL,
  waits_until TEXT NOT NULL,
  -- In messages and deliveries; the platform's own id is there.
  message_id TEXT,
  -- What was chosen, in words; how it failed.
  result TEXT,
  -- NULL: in the answerer's own words.
  choice INTEGER,
  answered_by TEXT,
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL, ended_at TEXT,
  UNIQUE (session_id, key)
);
CREATE INDEX questions_open ON questions (channel_type, platform_id) WHERE status = 'open';
CREATE INDEX questions_waiting ON questions (session_id) WHERE waits = 1;
CREATE INDEX questions_message ON questions (message_id);
`,
};
