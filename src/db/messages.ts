import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type MessageInKind, type MessageInRow, nextHostSeq, type Origin } from '@nanoclaw/protocol';

/** The table `messages`: the queue and the archive of both directions. */

export type MessageOutcome = 'reply' | 'silence' | 'notice' | 'stopped' | 'context' | 'withdrawn';

export interface NewInbound extends Origin {
  id: string;
  sessionId: string;
  kind: MessageInKind;
  timestamp: string;
  trigger: boolean;
  content: unknown;
  platformMessageId?: string;
  userId?: string;
}

/** An inbound message that is not settled yet. */
export interface OpenMessage extends Origin {
  id: string;
  seq: number;
  tries: number;
  trigger: boolean;
  kind: MessageInKind;
  platformMessageId: string | null;
  processAfter: string | null;
  createdAt: string;
}

export interface Messages {
  /** False when this session has that platform message already. Inside a transaction. */
  addInbound(message: NewInbound, now: number): boolean;
  /** What goes into inbound.db: every open trigger up to a limit, the newest context, in order. */
  openRows(sessionId: string): MessageInRow[];
  open(sessionId: string): OpenMessage[];
  /** The oldest of them that somebody waits for an answer to. */
  asked(sessionId: string): OpenMessage | undefined;
  /** One of them. */
  openById(sessionId: string, id: string): OpenMessage | undefined;
  /** How many triggers are due, and since when the oldest of them is (ms since the epoch). */
  due(sessionId: string, now: number): { count: number; since: number | null };
  /** Whether anything with this id was ever stored. */
  exists(id: string): boolean;
  /** Notes to the agent that wait for its next turn. */
  countNotes(sessionId: string): number;
  /** Ends an open message. Returns it, or undefined when it had ended before. */
  settle(
    sessionId: string,
    id: string,
    status: 'completed' | 'failed',
    outcome: MessageOutcome,
    now: number,
  ): OpenMessage | undefined;
  /** Notes what an answer said of the messages that it answers; the acknowledgement ends them. */
  noteOutcome(sessionId: string, id: string, outcome: MessageOutcome): void;
  notedOutcome(sessionId: string, id: string): MessageOutcome | undefined;
  /** Puts an open message off: another try, not before `after`. */
  retry(sessionId: string, id: string, after: number | null): void;
  /** When the next put-off message is due, over all sessions: [session, time]. */
  dueSessions(now: number): string[];
}

const OPEN_TRIGGERS = 500;
const OPEN_CONTEXT = 50;
/** By itself SQLite takes the key of (session, direction, seq), and walks through all that was ever said there. */
const OPEN = 'INDEXED BY messages_open';

/** `isHeld`: nothing of that session is due for now, whatever its times say. */
export function createMessages(db: DatabaseSync, isHeld = (_sessionId: string) => false): Messages {
  const sequence = db.prepare('SELECT host_seq FROM sessions WHERE id = ?');
  const advance = db.prepare('UPDATE sessions SET host_seq = ?, last_active = ? WHERE id = ?');
  const insert = db.prepare(
    `INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, trigger, channel_type, platform_id,
       thread_id, platform_message_id, user_id, content, created_at)
     VALUES (?, ?, 'in', ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const columns = `id, seq, kind, timestamp, status, process_after, tries, trigger, on_wake, platform_id, channel_type,
    thread_id, content, source_session_id`;
  const rows = db.prepare(
    `SELECT * FROM (
       SELECT * FROM (SELECT ${columns} FROM messages ${OPEN}
         WHERE session_id = ?1 AND direction = 'in' AND status IN ('pending', 'paused') AND trigger = 1
         ORDER BY seq LIMIT ${OPEN_TRIGGERS})
       UNION ALL
       SELECT * FROM (SELECT ${columns} FROM messages ${OPEN}
         WHERE session_id = ?1 AND direction = 'in' AND status IN ('pending', 'paused') AND trigger = 0 AND kind = 'system'
         ORDER BY seq DESC LIMIT ${OPEN_CONTEXT})
       UNION ALL
       SELECT * FROM (SELECT ${columns} FROM messages ${OPEN}
         WHERE session_id = ?1 AND direction = 'in' AND status IN ('pending', 'paused') AND trigger = 0 AND kind <> 'system'
         ORDER BY seq DESC LIMIT ${OPEN_CONTEXT}))
     ORDER BY seq`,
  );
  const openOf = db.prepare(
    `SELECT id, seq, tries, trigger, kind, channel_type, platform_id, thread_id, platform_message_id, process_after, created_at
     FROM messages ${OPEN} WHERE session_id = ? AND direction = 'in' AND status IN ('pending', 'paused') ORDER BY seq`,
  );
  const byId = db.prepare(
    `SELECT id, seq, tries, trigger, kind, channel_type, platform_id, thread_id, platform_message_id, process_after, created_at
     FROM messages WHERE id = ? AND session_id = ? AND direction = 'in' AND status IN ('pending', 'paused')`,
  );
  const countDue = db.prepare(
    `SELECT count(*) AS n, min(ifnull(process_after, created_at)) AS since FROM messages ${OPEN}
     WHERE session_id = ? AND direction = 'in' AND status IN ('pending', 'paused')
       AND trigger = 1 AND (process_after IS NULL OR process_after <= ?)`,
  );
  const anyById = db.prepare('SELECT 1 FROM messages WHERE id = ?');
  const countNotes = db.prepare(
    `SELECT count(*) AS n FROM messages ${OPEN} WHERE session_id = ? AND direction = 'in' AND status IN ('pending', 'paused')
       AND trigger = 0 AND kind = 'system'`,
  );
  const end = db.prepare(
    `UPDATE messages SET status = ?, outcome = ?, settled_at = ?
     WHERE id = ? AND session_id = ? AND direction = 'in' AND status IN ('pending', 'paused')
     RETURNING id, seq, tries, trigger, kind, channel_type, platform_id, thread_id, platform_message_id, process_after, created_at`,
  );
  const note = db.prepare(
    `UPDATE messages SET outcome = ? WHERE id = ? AND session_id = ? AND direction = 'in' AND settled_at IS NULL`,
  );
  const noted = db.prepare("SELECT outcome FROM messages WHERE id = ? AND session_id = ? AND direction = 'in'");
  const putOff = db.prepare(
    `UPDATE messages SET tries = tries + 1, process_after = ?
     WHERE id = ? AND session_id = ? AND direction = 'in' AND status = 'pending'`,
  );
  const due = db.prepare(
    `SELECT DISTINCT session_id FROM messages ${OPEN}
     WHERE direction = 'in' AND status IN ('pending', 'paused') AND status = 'pending' AND trigger = 1
       AND (process_after IS NULL OR process_after <= ?)`,
  );

  const open = (sessionId: string) => openOf.all(sessionId).map(toOpen);

  return {
    addInbound(message, now) {
      const seq = nextHostSeq(Number(sequence.get(message.sessionId)?.host_seq ?? 0));
      const { changes } = insert.run(
        message.id,
        message.sessionId,
        seq,
        message.kind,
        message.timestamp,
        message.trigger ? 1 : 0,
        message.channel_type,
        message.platform_id,
        message.thread_id,
        message.platformMessageId ?? null,
        message.userId ?? null,
        JSON.stringify(message.content),
        isoTime(now),
      );
      if (changes === 0) return false;
      advance.run(seq, isoTime(now), message.sessionId);
      return true;
    },
    openRows: (sessionId) => rows.all(sessionId) as unknown as MessageInRow[],
    open,
    asked: (sessionId) =>
      open(sessionId).find(({ kind, trigger, platform_id }) => trigger && kind !== 'task' && platform_id !== null),
    openById(sessionId, id) {
      const row = byId.get(id, sessionId);
      return row && toOpen(row);
    },
    due(sessionId, now) {
      if (isHeld(sessionId)) return { count: 0, since: null };
      const row = countDue.get(sessionId, isoTime(now));
      return { count: Number(row?.n), since: row?.since ? Date.parse(String(row.since)) : null };
    },
    exists: (id) => anyById.get(id) !== undefined,
    countNotes: (sessionId) => Number(countNotes.get(sessionId)?.n),
    settle(sessionId, id, status, outcome, now) {
      const row = end.get(status, outcome, isoTime(now), id, sessionId);
      return row && toOpen(row);
    },
    noteOutcome(sessionId, id, outcome) {
      note.run(outcome, id, sessionId);
    },
    notedOutcome: (sessionId, id) => (noted.get(id, sessionId)?.outcome ?? undefined) as MessageOutcome | undefined,
    retry(sessionId, id, after) {
      putOff.run(after === null ? null : isoTime(after), id, sessionId);
    },
    dueSessions(now) {
      const ids = due.all(isoTime(now)).map((row) => String(row.session_id));
      return ids.filter((id) => !isHeld(id));
    },
  };
}

function toOpen(row: Record<string, unknown>): OpenMessage {
  return {
    id: String(row.id),
    seq: Number(row.seq),
    tries: Number(row.tries),
    trigger: row.trigger === 1,
    kind: row.kind as MessageInKind,
    channel_type: row.channel_type as string | null,
    platform_id: row.platform_id as string | null,
    thread_id: row.thread_id as string | null,
    platformMessageId: row.platform_message_id as string | null,
    processAfter: row.process_after as string | null,
    createdAt: String(row.created_at),
  };
}
