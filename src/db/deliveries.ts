import type { DatabaseSync } from 'node:sqlite';
import { type DeliveredRow, isoTime, type Origin } from '@nanoclaw/protocol';

/** What waits to be said, or was: the table `deliveries`, beside the outgoing rows of `messages`. */

export interface Delivery extends Origin {
  messageId: string;
  sessionId: string | null;
  /** What the session's agent is called. */
  agentName: string | null;
  content: string;
  inReplyTo: string | null;
  attempts: number;
  notBefore: string | null;
  /** How much of its text stands there already, in UTF-16 units. */
  said: number;
  /** Tries at what comes next whose fate nobody knows. */
  unknowns: number;
  /** The message whose place it takes, or that it reacts to. */
  about: string | null;
}

/** A message of a session, and where it is. */
export interface Found extends Origin {
  id: string;
  direction: 'in' | 'out';
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
  queue(messageId: string, notBefore: string | null, now: number, about?: string): void;
  /** Keeps a row's refusal, so that the agent can be told; never a dead letter. */
  refuse(messageId: string, error: string, now: number): void;
  sending(messageId: string, now: number): void;
  sent(messageId: string, platformMessageId: string | undefined, now: number): void;
  /** `uncounted`: tries to take off again. */
  again(messageId: string, error: string, notBefore: number | null, uncounted: 0 | 1, now: number): void;
  /** `isWorthless`: it is no dead letter, to be sent again. */
  failed(messageId: string, error: string, now: number, isWorthless?: boolean): void;
  /** Its text stands there up to here; the rest has all its tries. */
  said(messageId: string, end: number, now: number): void;
  /** It may stand there or not; `end`: of what surely does. */
  doubt(messageId: string, error: string, end: number, notBefore: number, now: number): void;
  /** What an earlier host was about to send when it ended: nobody knows its fate. Not inside a transaction. */
  doubtSending(now: number): void;
  /** One that is not settled. */
  get(messageId: string): Delivery | undefined;
  /** The platform's own id of a message that it has, of either direction. */
  sentAs(messageId: string): string | undefined;
  /** Whether all of it is one message there. */
  isWhole(messageId: string): boolean;
  /** The host has closed it meanwhile: what says so waits behind it. */
  isClosed(messageId: string): boolean;
  /** What an agent calls by its id or number; never what the host itself has said. */
  find(sessionId: string, named: string): Found | undefined;
  /** The platform's id of the message that this one answers, where people would ask which one: in groups, and when somebody wrote since. */
  quotes(messageId: string): string | undefined;
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
    `INSERT INTO deliveries (message_id, status, not_before, about, created_at, updated_at)
     VALUES (?1, 'queued', ?2, ?3, ?4, ?4)`,
  );
  const refuse = db.prepare(
    `INSERT INTO deliveries (message_id, status, error, put_away_at, created_at, updated_at)
     VALUES (?1, 'failed', ?2, ?3, ?3, ?3)`,
  );
  const sending = db.prepare(
    `UPDATE deliveries SET status = 'sending', attempts = attempts + 1, updated_at = ? WHERE message_id = ?`,
  );
  const sent = db.prepare(
    `UPDATE deliveries SET status = 'sent', platform_message_id = ?, error = NULL, updated_at = ? WHERE message_id = ?`,
  );
  const again = db.prepare(
    `UPDATE deliveries SET status = 'queued', error = ?, not_before = ?, attempts = max(attempts - ?, 0), updated_at = ?
     WHERE message_id = ?`,
  );
  const failed = db.prepare(
    `UPDATE deliveries SET status = 'failed', error = ?2, put_away_at = iif(?3, ?4, NULL), updated_at = ?4 WHERE message_id = ?1`,
  );
  const said = db.prepare(
    'UPDATE deliveries SET said = ?, attempts = 0, unknowns = 0, updated_at = ? WHERE message_id = ?',
  );
  const doubt = db.prepare(
    `UPDATE deliveries SET status = 'queued', error = ?, said = ?, unknowns = unknowns + 1, not_before = ?, updated_at = ?
     WHERE message_id = ?`,
  );
  const doubtSending = db.prepare(
    "UPDATE deliveries SET status = 'queued', unknowns = unknowns + 1, updated_at = ? WHERE status = 'sending'",
  );
  const select = `SELECT d.message_id, m.session_id, m.channel_type, m.platform_id, m.thread_id, m.content, m.in_reply_to,
      d.attempts, d.not_before, d.said, d.unknowns, d.about, (SELECT c.assistant_name FROM sessions s
      JOIN container_configs c USING (agent_group_id) WHERE s.id = m.session_id) AS agent_name
    FROM deliveries d JOIN messages m ON m.id = d.message_id`;
  const sentAs = db.prepare(
    `SELECT ifnull(m.platform_message_id, d.platform_message_id) AS id FROM messages m
     LEFT JOIN deliveries d ON d.message_id = m.id AND d.status = 'sent' WHERE m.id = ?`,
  );
  const whole = db.prepare('SELECT 1 FROM deliveries WHERE message_id = ? AND said = 0');
  const closed = db.prepare(
    `SELECT 1 FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.status IN ('queued', 'sending')
     AND m.id GLOB 'note-*' AND m.content ->> '$.edits.message' = ? AND m.content ->> '$.card' IS NULL LIMIT 1`,
  );
  const found = 'SELECT id, direction, channel_type, platform_id, thread_id FROM messages WHERE';
  const byId = db.prepare(
    `${found} session_id = ?1 AND (id = ?1 || '.' || ?2 AND direction = 'out' OR id = ?2 AND direction = 'in')`,
  );
  const bySeq = db.prepare(`${found} session_id = ? AND direction = ? AND seq = ?`);
  const quotes = db.prepare(
    `SELECT q.platform_message_id AS id FROM messages m JOIN messages q ON q.id = m.in_reply_to
     WHERE m.id = ? AND q.channel_type = m.channel_type AND q.platform_id = m.platform_id AND (
       EXISTS (SELECT 1 FROM messaging_groups g
               WHERE g.channel_type = m.channel_type AND g.platform_id = m.platform_id AND g.is_group = 1)
       OR EXISTS (SELECT 1 FROM messages n WHERE n.session_id = q.session_id AND n.direction = 'in' AND n.seq > q.seq
                  AND n.platform_id = q.platform_id AND n.platform_message_id IS NOT NULL))`,
  );
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
    queue(messageId, notBefore, now, about) {
      queue.run(messageId, notBefore, about ?? null, isoTime(now));
    },
    refuse(messageId, error, now) {
      refuse.run(messageId, error, isoTime(now));
    },
    sending(messageId, now) {
      sending.run(isoTime(now), messageId);
    },
    sent(messageId, platformMessageId, now) {
      sent.run(platformMessageId ?? null, isoTime(now), messageId);
    },
    again(messageId, error, notBefore, uncounted, now) {
      again.run(error, notBefore === null ? null : isoTime(notBefore), uncounted, isoTime(now), messageId);
    },
    failed(messageId, error, now, isWorthless = false) {
      failed.run(messageId, error, isWorthless ? 1 : 0, isoTime(now));
    },
    said(messageId, end, now) {
      said.run(end, isoTime(now), messageId);
    },
    doubt(messageId, error, end, notBefore, now) {
      doubt.run(error, end, isoTime(notBefore), isoTime(now), messageId);
    },
    doubtSending(now) {
      doubtSending.run(isoTime(now));
    },
    get(messageId) {
      const row = one.get(messageId);
      return row && toDelivery(row);
    },
    sentAs: (messageId) => sentAs.get(messageId)?.id?.toString(),
    isWhole: (messageId) => whole.get(messageId) !== undefined,
    isClosed: (messageId) => closed.get(messageId) !== undefined,
    find(sessionId, named) {
      const seq = /^\d{1,15}$/.test(named) ? Number(named) : undefined;
      const row =
        seq === undefined ? byId.get(sessionId, named) : bySeq.get(sessionId, seq % 2 === 0 ? 'in' : 'out', seq);
      return row && toFound(row);
    },
    quotes: (messageId) => quotes.get(messageId)?.id?.toString(),
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
    agentName: row.agent_name as string | null,
    channel_type: row.channel_type as string | null,
    platform_id: row.platform_id as string | null,
    thread_id: row.thread_id as string | null,
    content: String(row.content),
    inReplyTo: row.in_reply_to as string | null,
    attempts: Number(row.attempts),
    notBefore: row.not_before as string | null,
    said: Number(row.said),
    unknowns: Number(row.unknowns),
    about: row.about as string | null,
  };
}

function toFound(row: Record<string, unknown>): Found {
  return {
    id: String(row.id),
    direction: row.direction === 'in' ? 'in' : 'out',
    channel_type: row.channel_type as string | null,
    platform_id: row.platform_id as string | null,
    thread_id: row.thread_id as string | null,
  };
}

/** An agent's row keeps its id behind its session's, so that no agent can take another's id. */
export function outboundId(sessionId: string, id: string): string {
  return `${sessionId}.${id}`;
}

export function agentsId(outboundId: string): string {
  return outboundId.slice(outboundId.indexOf('.') + 1);
}
