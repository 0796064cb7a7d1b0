import type { DatabaseSync } from 'node:sqlite';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { Row } from './unread.ts';

/** A message of a platform as sessions have it: one that several agents heard is there several times. */

export interface Copy extends Row {
  session: Session;
  seq: number;
  /** Who wrote it. */
  userId: string | null;
  content: unknown;
}

interface Place {
  channelType: string;
  platformId: string;
  platformMessageId: string;
}

export interface Copies {
  /** What somebody wrote, in sessions that go on. */
  of(message: Place): Copy[];
  /** What an agent said there. */
  said(message: Place): Copy | undefined;
  write(id: string, content: unknown): void;
}

const COLUMNS = 'm.id, m.session_id, m.seq, m.trigger, m.status, m.user_id, m.content';

export function createCopies(db: DatabaseSync, sessions: Pick<Sessions, 'get'>): Copies {
  // By session, as they are kept. Those of another chat aren't looked at, those of all chats are. `+`: with the affinity of
  // a column, the index of an expression would be walked from end to end.
  const heard = db.prepare(
    `SELECT ${COLUMNS} FROM sessions s CROSS JOIN messages m INDEXED BY messages_platform_key
       ON ifnull(m.session_id, '') = +s.id AND m.channel_type = ?1 AND m.platform_id = ?2 AND m.platform_message_id = ?3
     WHERE s.status = 'active' AND m.direction = 'in' AND m.platform_message_id IS NOT NULL AND m.kind = 'chat'
       AND m.outcome IS NOT 'withdrawn'
       AND (s.messaging_group_id = (SELECT id FROM messaging_groups WHERE channel_type = ?1 AND platform_id = ?2)
         OR s.messaging_group_id IS NULL)`,
  );
  const said = db.prepare(
    `SELECT ${COLUMNS} FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN sessions s ON s.id = m.session_id
     WHERE d.platform_message_id = ?3 AND m.channel_type = ?1 AND m.platform_id = ?2 AND m.seq IS NOT NULL
       AND s.status = 'active' ORDER BY d.rowid LIMIT 1`,
  );
  const write = db.prepare('UPDATE messages SET content = ? WHERE id = ?');

  function toCopy(row: Record<string, unknown>): Copy[] {
    const session = sessions.get(String(row.session_id));
    if (!session) return [];
    return [
      {
        session,
        sessionId: session.id,
        id: String(row.id),
        seq: Number(row.seq),
        trigger: row.trigger === 1,
        isOpen: row.status === 'pending' || row.status === 'paused',
        userId: row.user_id === null ? null : String(row.user_id),
        content: JSON.parse(String(row.content)),
      },
    ];
  }

  return {
    of: ({ channelType, platformId, platformMessageId }) =>
      heard.all(channelType, platformId, platformMessageId).flatMap(toCopy),
    said: ({ channelType, platformId, platformMessageId }) =>
      said.all(channelType, platformId, platformMessageId).flatMap(toCopy)[0],
    write(id, content) {
      write.run(JSON.stringify(content), id);
    },
  };
}
