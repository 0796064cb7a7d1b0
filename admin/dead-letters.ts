import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';

/** What could not be delivered, for a person to look through: in the table `deliveries`. */

/** One that was given up, and that a person may send again. */
export interface DeadLetter {
  id: string;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  text: string;
  error: string | null;
  attempts: number;
  at: string;
}

export interface DeadLetters {
  deadLetters(limit: number): DeadLetter[];
  countDead(): number;
  /** True: it waits again, with all its tries. Inside a transaction, as `putAway`. */
  revive(messageId: string, now: number): boolean;
  putAway(messageId: string, now: number): boolean;
}

export function createDeadLetters(db: DatabaseSync): DeadLetters {
  const isDead = "status = 'failed' AND put_away_at IS NULL";
  const dead = db.prepare(
    `SELECT d.message_id, m.channel_type, m.platform_id, m.thread_id, m.content, d.error, d.attempts, d.updated_at
     FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.${isDead.replaceAll(' AND ', ' AND d.')}
     ORDER BY d.updated_at DESC LIMIT ?`,
  );
  const countDead = db.prepare(`SELECT count(*) AS n FROM deliveries WHERE ${isDead}`);
  const revive = db.prepare(
    `UPDATE deliveries SET status = 'queued', attempts = 0, unknowns = 0, not_before = NULL, error = NULL, updated_at = ?
     WHERE message_id = ? AND ${isDead}`,
  );
  const putAway = db.prepare(`UPDATE deliveries SET put_away_at = ? WHERE message_id = ? AND ${isDead}`);
  return {
    deadLetters: (limit) => dead.all(limit).map(toDeadLetter),
    countDead: () => Number(countDead.get()?.n ?? 0),
    revive: (messageId, now) => revive.run(isoTime(now), messageId).changes === 1,
    putAway: (messageId, now) => putAway.run(isoTime(now), messageId).changes === 1,
  };
}

function toDeadLetter(row: Record<string, unknown>): DeadLetter {
  const content: unknown = JSON.parse(String(row.content));
  const isText = typeof content === 'object' && content !== null && 'text' in content;
  return {
    id: String(row.message_id),
    channelType: row.channel_type as string | null,
    platformId: row.platform_id as string | null,
    threadId: row.thread_id as string | null,
    text: isText ? String(content.text) : '',
    error: row.error as string | null,
    attempts: Number(row.attempts),
    at: String(row.updated_at),
  };
}
