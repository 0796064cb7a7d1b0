import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type Origin } from '@nanoclaw/protocol';
import { z } from 'zod';
import { newId } from '../../src/db/ids.ts';
import { STATUSES, type Status } from './states.ts';

/** The tables `approvals` and `approval_cards`. */

const Option = z.object({
  label: z.string(),
  /** `name`: like approve, once its name was said. */
  does: z.enum(['approve', 'name', 'deny']),
  /** What is done then, to the letter; its kind reads it. null: nothing. */
  action: z.unknown(),
});
export type Option = z.infer<typeof Option>;

const Row = z
  .object({
    id: z.string(),
    kind: z.string(),
    status: z.enum(STATUSES),
    subject: z.string(),
    agent_group_id: z.string().nullable(),
    session_id: z.string().nullable(),
    requested_by: z.string().nullable(),
    channel_type: z.string().nullable(),
    platform_id: z.string().nullable(),
    thread_id: z.string().nullable(),
    title: z.string(),
    body: z.string(),
    options: z.string().transform((text) => z.array(Option).parse(JSON.parse(text))),
    more: z.number(),
    created_at: z.string(),
    expires_at: z.string(),
    escalate_at: z.string().nullable(),
    decided_at: z.string().nullable(),
    decided_by: z.string().nullable(),
    decision: z.number().nullable(),
    result: z.string().nullable(),
  })
  .transform(({ agent_group_id, session_id, requested_by, ...row }) => ({
    ...row,
    agentGroupId: agent_group_id,
    sessionId: session_id,
    requestedBy: requested_by,
  }));
export type Approval = z.infer<typeof Row>;

export interface NewApproval {
  kind: string;
  /** What it is about; while one is open there is no second one for it. */
  subject: string;
  /** Whose admins may decide; null: only global admins and owners. */
  agentGroupId: string | null;
  /** The session that is told of the outcome, and woken by it. */
  sessionId: string | null;
  /** A user id, or `agent:<agent group id>`. */
  requestedBy: string;
  origin: Origin;
  title: string;
  body: string;
  options: readonly Option[];
}

/** Where an approval was shown. */
export interface Shown {
  userId: string;
  channelType: string;
  platformId: string;
  messageId: string;
}

export interface Decision {
  by: string;
  option: number | null;
  result: string;
}

/** Of one session; of none: what strangers on one channel asked for. */
const OF = 'session_id IS ?1 AND (?1 IS NOT NULL OR channel_type IS ?2)';

export type Table = ReturnType<typeof createTable>;

export function createTable(db: DatabaseSync) {
  const insert = db.prepare(
    `INSERT INTO approvals (id, kind, status, subject, agent_group_id, session_id, requested_by, channel_type, platform_id,
       thread_id, title, body, options, created_at, expires_at, escalate_at)
     VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byId = db.prepare('SELECT * FROM approvals WHERE id = ?');
  const byPrefix = db.prepare('SELECT * FROM approvals WHERE id >= ?1 AND id < ?2 LIMIT 2');
  const openId = db.prepare(
    "SELECT id FROM approvals WHERE kind = ? AND subject = ? AND status IN ('pending', 'naming')",
  );
  const open = db.prepare("SELECT * FROM approvals WHERE status IN ('pending', 'naming') ORDER BY id");
  const all = db.prepare('SELECT * FROM approvals ORDER BY id DESC LIMIT ?');
  const move = db.prepare(
    `UPDATE approvals SET status = ?3, decided_at = ?4, decided_by = ?5, decision = ?6, result = ?7, escalate_at = NULL
     WHERE id = ?1 AND status = ?2`,
  );
  const result = db.prepare('UPDATE approvals SET result = ?2 WHERE id = ?1');
  const more = db.prepare('UPDATE approvals SET more = more + 1 WHERE id = ?');
  const escalate = db.prepare("UPDATE approvals SET escalate_at = ?2 WHERE id = ?1 AND status = 'pending'");
  const addCard = db.prepare(
    `INSERT INTO approval_cards (approval_id, user_id, channel_type, platform_id, message_id, at) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const cards = db.prepare('SELECT * FROM approval_cards WHERE approval_id = ? ORDER BY at');
  const cardOf = db.prepare('SELECT approval_id FROM approval_cards WHERE message_id = ?');
  const countOpen = db.prepare(`SELECT count(*) AS n FROM approvals WHERE status IN ('pending', 'naming') AND ${OF}`);
  const countSince = db.prepare(`SELECT count(*) AS n FROM approvals WHERE id >= ?3 AND ${OF}`);
  const naming = db.prepare(
    `SELECT a.* FROM approvals a JOIN approval_cards c ON c.approval_id = a.id
     WHERE a.status = 'naming' AND a.decided_by = ?1 AND c.channel_type = ?2 AND c.platform_id = ?3
     ORDER BY a.decided_at DESC LIMIT 1`,
  );
  const read = (row: unknown): Approval | undefined => (row === undefined ? undefined : Row.parse(row));

  return {
    add(request: NewApproval, now: number, expiresAt: number): Approval {
      const id = newId('appr', now);
      const { channel_type, platform_id, thread_id } = request.origin;
      insert.run(
        id,
        request.kind,
        request.subject,
        request.agentGroupId,
        request.sessionId,
        request.requestedBy,
        channel_type,
        platform_id,
        thread_id,
        request.title,
        request.body,
        JSON.stringify(request.options),
        isoTime(now),
        isoTime(expiresAt),
        isoTime(now),
      );
      return Row.parse(byId.get(id));
    },
    get: (id: string) => read(byId.get(id)),
    /** By the beginning of an id, with or without what all ids begin with. At most two. */
    find(prefix: string): Approval[] {
      const from = prefix.startsWith('appr-') ? prefix : `appr-${prefix}`;
      return byPrefix.all(from, `${from}\uffff`).map((row) => Row.parse(row));
    },
    openId: (kind: string, subject: string) => openId.get(kind, subject)?.id?.toString(),
    open: () => open.all().map((row) => Row.parse(row)),
    /** The newest first. */
    list: (limit: number) => all.all(limit).map((row) => Row.parse(row)),
    /** False when it was in another state. */
    move: (id: string, from: Status, to: Status, { by, option, result }: Decision, now: number) =>
      move.run(id, from, to, isoTime(now), by, option, result).changes === 1,
    noteResult: (id: string, text: string) => void result.run(id, text),
    countMore: (id: string) => void more.run(id),
    /** When the next one is asked. */
    escalate: (id: string, at: number | null) => void escalate.run(id, at === null ? null : isoTime(at)),
    show: (id: string, { userId, channelType, platformId, messageId }: Shown, now: number) =>
      void addCard.run(id, userId, channelType, platformId, messageId, isoTime(now)),
    shown: (id: string): Shown[] =>
      cards.all(id).map((row) => ({
        userId: String(row.user_id),
        channelType: String(row.channel_type),
        platformId: String(row.platform_id),
        messageId: String(row.message_id),
      })),
    shownAs: (messageId: string) => cardOf.get(messageId)?.approval_id?.toString(),
    /** Without a session: those of the channel that have none. */
    countOpen: (sessionId: string | null, channelType: string | null) =>
      Number(countOpen.get(sessionId, channelType)?.n),
    countSince: (since: number, sessionId: string | null, channelType: string | null) =>
      Number(countSince.get(sessionId, channelType, `appr-${since.toString(36)}`)?.n),
    /** The one that waits for a name from this user, in this chat. */
    naming: (userId: string, channelType: string, platformId: string) =>
      read(naming.get(userId, channelType, platformId)),
  };
}
