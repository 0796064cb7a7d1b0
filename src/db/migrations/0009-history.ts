/** What a search in what was said may see, and what such an index doesn't learn by reading on: changed and removed messages. */
export const history = {
  name: '0009-history',
  sql: `
-- From a session: what was said in its thread, in its chat, in all chats of its agent.
ALTER TABLE container_configs ADD COLUMN history TEXT NOT NULL DEFAULT 'chat'
  CHECK (history IN ('thread', 'chat', 'agent'));
CREATE TABLE history_changes (
  -- Never used again.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL
);
CREATE TRIGGER history_changed AFTER UPDATE OF content ON messages WHEN NEW.direction = 'in'
  BEGIN INSERT INTO history_changes (message_id) VALUES (NEW.id); END;
CREATE TRIGGER history_removed AFTER DELETE ON messages
  BEGIN INSERT INTO history_changes (message_id) VALUES (OLD.id); END;
`,
};
