import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { InboundEvent } from '../channels/adapter.ts';

/** What nobody took, counted by chat and reason, with the last one's sender as a sample. */

/** Chats of which is noted what was dropped there; what comes from more is counted together. */
const DROP_ROWS = 5_000;

export type Dropped = Pick<InboundEvent, 'channelType' | 'platformId' | 'senderId'>;
/** Inside a transaction. */
export type NoteDrop = (event: Dropped, reason: string, now: number) => void;

export function createDrops(db: DatabaseSync): NoteDrop {
  const rows = db.prepare('SELECT count(*) AS n FROM dropped_messages');
  const again = db.prepare(
    `UPDATE dropped_messages SET count = count + 1, last_seen = ?4, sample_sender = ?5
     WHERE channel_type = ?1 AND platform_id = ?2 AND reason = ?3`,
  );
  const first = db.prepare(
    `INSERT INTO dropped_messages (channel_type, platform_id, reason, count, first_seen, last_seen, sample_sender)
     VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5)
     ON CONFLICT DO UPDATE SET count = count + 1, last_seen = excluded.last_seen, sample_sender = excluded.sample_sender`,
  );
  return ({ channelType, platformId, senderId }, reason, now) => {
    if (again.run(channelType, platformId, reason, isoTime(now), senderId).changes > 0) return;
    const chat = Number(rows.get()?.n) < DROP_ROWS ? platformId : '*';
    first.run(channelType, chat, reason, isoTime(now), senderId);
  };
}
