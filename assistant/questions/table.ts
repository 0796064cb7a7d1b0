import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type Origin } from '@nanoclaw/protocol';
import { z } from 'zod';
import { newId } from '../../src/db/ids.ts';

/** The table `questions`. What changes something runs inside a transaction. */

const jsonOf = <T>(schema: z.ZodType<T>) => z.string().transform((text) => schema.parse(JSON.parse(text)));

const Row = z
  .object({
    id: z.string(),
    session_id: z.string(),
    key: z.string(),
    turn_of: z.string().nullable(),
    channel_type: z.string().nullable(),
    platform_id: z.string().nullable(),
    thread_id: z.string().nullable(),
    title: z.string(),
    body: z.string(),
    options: jsonOf(z.array(z.string())),
    asked_of: jsonOf(z.array(z.string())),
    status: z.enum(['open', 'answered', 'withdrawn', 'expired', 'failed']),
    waits: z.number().transform((one) => one === 1),
    card: z.number().transform((one) => one === 1),
    report_seq: z.number(),
    waits_until: z.string(),
    message_id: z.string().nullable(),
    result: z.string().nullable(),
    choice: z.number().nullable(),
    answered_by: z.string().nullable(),
    created_at: z.string(),
    expires_at: z.string(),
  })
  .transform(({ session_id, turn_of, asked_of, report_seq, waits_until, message_id, answered_by, ...row }) => ({
    ...row,
    sessionId: session_id,
    turnOf: turn_of,
    askedOf: asked_of,
    reportSeq: report_seq,
    waitsUntil: waits_until,
    messageId: message_id,
    answeredBy: answered_by,
  }));
export type Question = z.infer<typeof Row>;
export type Ended = Exclude<Question['status'], 'open'>;

export interface NewQuestion {
  sessionId: string;
  key: string;
  turnOf: string | null;
  place: Origin;
  title: string;
  body: string;
  options: readonly string[];
  askedOf: readonly string[];
  card: boolean;
  reportSeq: number;
  waitsUntil: number;
  expiresAt: number;
}

export interface Result {
  result: string | null;
  choice?: number | null;
  answeredBy?: string | null;
}

export type Table = ReturnType<typeof createTable>;

export function createTable(db: DatabaseSync) {
  const insert = db.prepare(
    `INSERT INTO questions (id, session_id, key, turn_of, channel_type, platform_id, thread_id, title, body, options, asked_of,
       status, waits, card, report_seq, waits_until, created_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, ?, ?, ?, ?)`,
  );
  const byId = db.prepare('SELECT * FROM questions WHERE id = ?');
  const byKey = db.prepare('SELECT * FROM questions WHERE session_id = ? AND key = ?');
  const byMessage = db.prepare('SELECT * FROM questions WHERE message_id = ?');
  const inChat = db.prepare(
    `SELECT * FROM questions WHERE status = 'open' AND channel_type = ? AND platform_id = ? AND thread_id IS ?
     ORDER BY created_at DESC, id DESC`,
  );
  const chats = db.prepare("SELECT DISTINCT channel_type, platform_id FROM questions WHERE status = 'open'");
  const unsettled = db.prepare(
    `SELECT * FROM questions WHERE rowid IN (
       SELECT rowid FROM questions INDEXED BY questions_open WHERE status = 'open'
       UNION SELECT rowid FROM questions INDEXED BY questions_waiting WHERE waits = 1) ORDER BY id`,
  );
  const waiting = db.prepare('SELECT * FROM questions INDEXED BY questions_waiting WHERE session_id = ? AND waits = 1');
  const sessions = db.prepare(
    "SELECT DISTINCT session_id FROM questions INDEXED BY questions_waiting WHERE waits = 1 AND status = 'open' AND card = 0",
  );
  const countWaiting = db.prepare('SELECT count(*) AS n FROM questions WHERE session_id = ? AND waits = 1');
  const countOpen = db.prepare(
    "SELECT count(*) AS n FROM questions INDEXED BY questions_open WHERE session_id = ? AND status = 'open'",
  );
  const shown = db.prepare('UPDATE questions SET message_id = ? WHERE id = ?');
  const end = db.prepare(
    `UPDATE questions SET status = ?, result = ?, choice = ?, answered_by = ?, ended_at = ? WHERE id = ? AND status = 'open'`,
  );
  const wait = db.prepare('UPDATE questions SET waits = 1, report_seq = ?, waits_until = ?, turn_of = ? WHERE id = ?');
  const rest = db.prepare('UPDATE questions SET waits = 0 WHERE id = ? AND waits = 1');
  const read = (row: unknown): Question | undefined => (row === undefined ? undefined : Row.parse(row));
  const readAll = (rows: readonly unknown[]): Question[] => rows.map((row) => Row.parse(row));

  return {
    add(question: NewQuestion, now: number): Question {
      const id = newId('q', now);
      const { channel_type, platform_id, thread_id } = question.place;
      insert.run(
        id,
        question.sessionId,
        question.key,
        question.turnOf,
        channel_type,
        platform_id,
        thread_id,
        question.title,
        question.body,
        JSON.stringify(question.options),
        JSON.stringify(question.askedOf),
        question.card ? 1 : 0,
        question.reportSeq,
        isoTime(question.waitsUntil),
        isoTime(now),
        isoTime(question.expiresAt),
      );
      return Row.parse(byId.get(id));
    },
    get: (id: string) => read(byId.get(id)),
    find: (sessionId: string, key: string) => read(byKey.get(sessionId, key)),
    shownAs: (messageId: string) => read(byMessage.get(messageId)),
    /** The open ones of a place, the newest first. */
    inChat: (channelType: string, platformId: string, threadId: string | null) =>
      readAll(inChat.all(channelType, platformId, threadId)),
    /** Where any is open. */
    chats: () =>
      chats.all().map((row) => ({ channelType: String(row.channel_type), platformId: String(row.platform_id) })),
    /** Whose turns wait for an answer. */
    sessions: () => sessions.all().map((row) => String(row.session_id)),
    /** Open, or not reported. */
    unsettled: () => readAll(unsettled.all()),
    waiting: (sessionId: string) => readAll(waiting.all(sessionId)),
    countWaiting: (sessionId: string) => Number(countWaiting.get(sessionId)?.n),
    countOpen: (sessionId: string) => Number(countOpen.get(sessionId)?.n),
    show: (id: string, messageId: string) => void shown.run(messageId, id),
    /** False when it had ended before. */
    end: (id: string, status: Ended, { result, choice = null, answeredBy = null }: Result, now: number) =>
      end.run(status, result, choice, answeredBy, isoTime(now), id).changes === 1,
    /** A tool waits for it, again. */
    wait: (id: string, reportSeq: number, until: number, turnOf: string | null) =>
      void wait.run(reportSeq, isoTime(until), turnOf, id),
    /** None does. False: none did. */
    rest: (id: string) => rest.run(id).changes === 1,
  };
}
