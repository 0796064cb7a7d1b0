import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';

/** The one text of a session that is shown while its agent still writes it, or works: a message of the host's, until it is finished. */

export interface OpenDraft extends Origin {
  id: string;
  /** The message that it will answer, and whether that one still waits. */
  inReplyTo: string;
  isAwaited: boolean;
  /** As it was last shown. */
  text: string;
  /** Something of it stands in the chat, or may. */
  isShown: boolean;
  /** Nothing that the agent writes, but what it does meanwhile. */
  isLine: boolean;
}

export interface Store {
  of(sessionId: string): OpenDraft | undefined;
  isOpen(id: string): boolean;
  /** Sessions with a line. */
  withLine(): string[];
  /** Inside a transaction, as all below. */
  begin(sessionId: string, id: string): void;
  end(sessionId: string): void;
  /** What stands there now. */
  keep(id: string, text: string): void;
}

export function createStore(db: DatabaseSync): Store {
  const of = db.prepare(
    `SELECT m.id, m.channel_type, m.platform_id, m.thread_id, m.in_reply_to, m.content ->> 'text' AS text,
       d.status IN ('sending', 'sent') OR d.status = 'queued' AND d.unknowns > 0 AS shown,
       a.status IN ('pending', 'paused') AS awaited, m.content ->> 'draft' = 'line' AS line
     FROM sessions s JOIN messages m ON m.id = s.draft JOIN deliveries d ON d.message_id = m.id
     LEFT JOIN messages a ON a.id = m.in_reply_to WHERE s.id = ?`,
  );
  const open = db.prepare(
    'SELECT 1 FROM messages m JOIN sessions s ON s.id = m.session_id AND s.draft = m.id WHERE m.id = ?',
  );
  const withLine = db.prepare(
    "SELECT s.id FROM sessions s JOIN messages m ON m.id = s.draft WHERE m.content ->> 'draft' = 'line'",
  );
  const set = db.prepare('UPDATE sessions SET draft = ? WHERE id = ?');
  const keep = db.prepare("UPDATE messages SET content = json_set(content, '$.text', ?) WHERE id = ?");
  return {
    of(sessionId) {
      const row = of.get(sessionId);
      return (
        row && {
          id: String(row.id),
          channel_type: row.channel_type as string | null,
          platform_id: row.platform_id as string | null,
          thread_id: row.thread_id as string | null,
          inReplyTo: String(row.in_reply_to),
          isAwaited: row.awaited === 1,
          text: String(row.text),
          isShown: row.shown === 1,
          isLine: row.line === 1,
        }
      );
    },
    isOpen: (id) => open.get(id) !== undefined,
    withLine: () => withLine.all().map(({ id }) => String(id)),
    begin(sessionId, id) {
      set.run(id, sessionId);
    },
    end(sessionId) {
      set.run(null, sessionId);
    },
    keep(id, text) {
      keep.run(text, id);
    },
  };
}
