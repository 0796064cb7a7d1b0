import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../src/db/group-commit.ts';
import { newId } from '../../src/db/ids.ts';

/** Much that was said long ago, written down as the host does it: in the newest conversation of that chat. */

const MINUTE_MS = 60_000;

export interface Earlier {
  channel: string;
  chat: string;
  sender: string;
  text: string;
  /** How many messages were said after it. */
  count: number;
}

export function sayEarlier(home: string, { channel, chat, sender, text, count }: Earlier): void {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { timeout: 10_000 });
  try {
    const session = db
      .prepare(
        `SELECT s.id FROM sessions s JOIN messaging_groups g ON g.id = s.messaging_group_id
         WHERE g.channel_type = ? AND g.platform_id = ? AND s.status = 'active'`,
      )
      .get(channel, chat);
    if (!session) throw new Error('Nothing was said there yet: there is no conversation.');
    const add = db.prepare(
      `INSERT INTO messages (id, session_id, direction, kind, timestamp, status, outcome, channel_type, platform_id, user_id,
         content, created_at) VALUES (?1, ?2, 'in', 'chat', ?3, 'completed', 'reply', ?4, ?5, ?6, ?7, ?3)`,
    );
    transaction(db, () => {
      const texts = [text, ...Array.from({ length: count }, (_, index) => `Message ${index + 1} of a long afternoon.`)];
      for (const [index, said] of texts.entries()) {
        const at = Date.now() - (texts.length - index) * MINUTE_MS;
        const content = JSON.stringify({ text: said, sender });
        const time = new Date(at).toISOString();
        add.run(newId('msg', at), String(session.id), time, channel, chat, `${channel}:${sender}`, content);
      }
    });
  } finally {
    db.close();
  }
}
