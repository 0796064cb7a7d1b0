import type { DatabaseSync } from 'node:sqlite';
import { type DeliveredRow, isoTime, type Origin } from '@nanoclaw/protocol';

/** What waits to be said, or was: the table `deliveries`, beside the outgoing rows of `messages`. */

export interface Delivery extends Origin {
  messageId: string;
  sessionId: string | null;
  content: string;
  inReplyTo: string | null;
  attempts: number;
  notBefore: string | null;
}

export interface NewOutbound extends Origin {
  id: string;
  sessionId: string | null;
  /** The agent's sequence number; null for what the host itself says. */
  seq: number | null;
  kind: string;
  timestamp: string;
  inReplyTo: string | null;
  content: string;
}

export interface Deliveries {
  /** Keeps an outgoing row; false when it is there already. Inside a transaction. */
  addOutbound(message: NewOutbound, now: number): boolean;
  /** Queues a kept row for its chat. */
  queue(messageId: string, notBefore: string | null, now: number): void;
  /** Keeps a row's refusal, so that the agent can be told. */
  refuse(messageId: string, error: string, now: number): void;
  sending(messageId: string, now: number): void;
  sent(messageId: string, platformMessageId: string | undefined, now: number): void;
  again(messageId: string, error: string, notBefore: number | null, counted: boolean, now: number): void;
  failed(messageId: string, error: string, now: number): void;
  /** One that is not settled. */
  get(messageId: string): Delivery | undefined;
  /** Everything unsettled, oldest first: `sending` ones from before a crash are sent again under the same id. */
  open(): Delivery[];
  /** What became of a session's newest rows, for its inbound.db. */
  recent(sessionId: string, limit: number): DeliveredRow[];
}

export function createDeliveries(db: DatabaseSync): Deliveries {
  const insert = db.prepare(
    `INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, channel_type, platform_id, thread_id,
       in_reply_to, content, created_at)
     VALUES (?, ?, 'out', ?, ?, ?, 'completed', ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const queue = db.prepare(
    `INSERT INTO deliveries (message_id, status, not_before, created_at, updated_at) VALUES (?, 'queued', ?, ?, ?)`,
  );
  const refuse = db.prepare(
    `INSERT INTO deliveries (message_id, status, error, created_at, updated_at) VALUES (?, 'failed', ?, ?, ?)`,
  );
  const sending = db.prepare(
    `UPDATE deliveries SET status = 'sending', attempts = attempts + 1, updated_at = ? WHERE message_id = ?`,
  );
  const sent = db.prepare(
    `UPDATE deliveries SET status = 'sent', platform_message_id = ?, error = NULL, updated_at = ? WHERE message_id = ?`,
  );
  const again = db.prepare(
    `UPDATE deliveries SET status = 'queued', error = ?, not_before = ?, attempts = attempts - ?, updated_at = ?
     WHERE message_id = ?`,
  );
  const failed = db.prepare(`UPDATE deliveries SET status = 'failed', error = ?, updated_at = ? WHERE message_id = ?`);
  const select = `SELECT d.message_id, m.session_id, m.channel_type, m.platform_id, m.thread_id, m.content, m.in_reply_to,
      d.attempts, d.not_before FROM deliveries d JOIN messages m ON m.id = d.message_id`;
  const open = db.prepare(`${select} WHERE d.status IN ('queued', 'sending') ORDER BY d.rowid`);
  const one = db.prepare(`${select} WHERE d.message_id = ? AND d.status IN ('queued', 'sending')`);
  const recent = db.prepare(
    `SELECT m.id, d.status, d.platform_message_id, d.error, d.updated_at
     FROM (SELECT id, seq FROM messages WHERE session_id = ?1 AND direction = 'out' AND seq IS NOT NULL
           ORDER BY seq DESC LIMIT ?2) m
     JOIN deliveries d ON d.message_id = m.id WHERE d.status IN ('sent', 'failed') ORDER BY m.seq DESC`,
  );
  return {
    addOutbound: (message, now) =>
      insert.run(
        message.id,
        message.sessionId,
        message.seq,
        message.kind,
        message.timestamp,
        message.channel_type,
        message.platform_id,
        message.thread_id,
        message.inReplyTo,
        message.content,
        isoTime(now),
      ).changes === 1,
    queue(messageId, notBefore, now) {
      queue.run(messageId, notBefore, isoTime(now), isoTime(now));
    },
    refuse(messageId, error, now) {
      refuse.run(messageId, error, isoTime(now), isoTime(now));
    },
    sending(messageId, now) {
      sending.run(isoTime(now), messageId);
    },
    sent(messageId, platformMessageId, now) {
      sent.run(platformMessageId ?? null, isoTime(now), messageId);
    },
    again(messageId, error, notBefore, counted, now) {
      again.run(error, notBefore === null ? null : isoTime(notBefore), counted ? 0 : 1, isoTime(now), messageId);
    },
    failed(messageId, error, now) {
      failed.run(error, isoTime(now), messageId);
    },
    get(messageId) {
      const row = one.get(messageId);
      return row && toDelivery(row);
    },
    open: () => open.all().map(toDelivery),
    recent: (sessionId, limit) =>
      recent.all(sessionId, limit).map((row) => ({
        message_out_id: agentsId(String(row.id)),
        status: row.status === 'sent' ? 'delivered' : 'failed',
        platform_message_id: row.platform_message_id as string | null,
        error: row.error as string | null,
        at: String(row.updated_at),
      })),
  };
}

function toDelivery(row: Record<string, unknown>): Delivery {
  return {
    messageId: String(row.message_id),
    sessionId: row.session_id as string | null,
    channel_type: row.channel_type as string | null,
    platform_id: row.platform_id as string | null,
    thread_id: row.thread_id as string | null,
    content: String(row.content),
    inReplyTo: row.in_reply_to as string | null,
    attempts: Number(row.attempts),
    notBefore: row.not_before as string | null,
  };
}

/** An agent's row keeps its id behind its session's, so that no agent can take another's id. */
export function outboundId(sessionId: string, id: string): string {
  return `${sessionId}.${id}`;
}

export function agentsId(outboundId: string): string {
  return outboundId.slice(outboundId.indexOf('.') + 1);
}
