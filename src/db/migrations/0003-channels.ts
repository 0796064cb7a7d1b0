/** Accounts on platforms, what their adapters remember, and how far a delivery has come. */
export const channels = {
  name: '0003-channels',
  sql: `
CREATE TABLE channel_instances (
  -- Also the channel type of its chats: telegram, telegram-work.
  instance TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  -- The folder of a package that isn't one of ours; NULL: channels/<channel>.
  source TEXT,
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  created_at TEXT NOT NULL
);
CREATE TABLE channel_values (
  instance TEXT NOT NULL REFERENCES channel_instances(instance),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (instance, key)
);
-- How much of its text stands there, in UTF-16 units; tries whose fate nobody knows; a dead letter that was put away.
ALTER TABLE deliveries ADD COLUMN said INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN unknowns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN put_away_at TEXT;
UPDATE deliveries SET put_away_at = updated_at WHERE status = 'failed';
CREATE INDEX deliveries_dead ON deliveries (updated_at) WHERE status = 'failed' AND put_away_at IS NULL;
`,
};
