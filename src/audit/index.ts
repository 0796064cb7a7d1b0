import type { DatabaseSync } from 'node:sqlite';
import { cleanText, isoTime } from '@nanoclaw/protocol';
import { NanoError } from '../errors.ts';
import { GENESIS, hashOf, SEGMENT_ROWS } from './chain.ts';

/** Each decision that a person or a rule made, append-only and chained by hashes. */

export interface AuditEntry {
  /** A user id, `host`, or `agent:<agent group id>`. */
  actor: string;
  /** `<what>.<done>`, such as `member.added`. */
  action: string;
  /** The id of what it is about. */
  subject: string;
  /** Goes into the log as JSON; no secrets. */
  detail?: Readonly<Record<string, unknown>>;
}

export interface Audit {
  /** Inside a durable transaction: it stands or falls with what it tells of. `now` in ms since the epoch. */
  record(entry: AuditEntry, now: number): void;
}

/** `onRecord` is called before the caller's transaction ends, and also when that fails. */
export function createAudit(db: DatabaseSync, onRecord: () => void = () => {}): Audit {
  const newest = db.prepare('SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1');
  const last = db.prepare(
    `SELECT segment, first_seq, opened_at, sealed_at, coalesce(last_seq, first_seq - 1) AS end_seq,
       coalesce(last_hash, first_prev) AS end_hash FROM audit_segments ORDER BY segment DESC LIMIT 1`,
  );
  const seal = db.prepare('UPDATE audit_segments SET last_seq = ?, last_hash = ?, sealed_at = ? WHERE segment = ?');
  const open = db.prepare('INSERT INTO audit_segments (segment, first_seq, first_prev, opened_at) VALUES (?, ?, ?, ?)');
  const insert = db.prepare(
    `INSERT INTO audit_log (seq, segment, at, actor, action, subject, detail, prev_hash, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );

  return {
    record(entry, now) {
      if (!db.isTransaction) throw new NanoError('NC_INTERNAL', 'An audit entry needs a transaction.');
      const at = isoTime(now);
      const before = last.get();
      // Another process may have written since: nothing is remembered from one entry to the next.
      const row = newest.get() ?? { seq: before?.end_seq ?? 0, hash: before?.end_hash ?? GENESIS };
      const seq = Number(row.seq) + 1;
      const prevHash = String(row.hash);
      let segment = Number(before?.segment ?? 0);
      const isFull = seq - Number(before?.first_seq) >= SEGMENT_ROWS;
      const isOver = String(before?.opened_at).slice(0, 7) !== at.slice(0, 7);
      if (before?.sealed_at !== null || isFull || isOver) {
        if (before?.sealed_at === null) seal.run(seq - 1, prevHash, at, segment);
        segment += 1;
        open.run(segment, seq, prevHash, at);
      }
      const [actor, action, subject] = [short(entry.actor), short(entry.action), short(entry.subject)];
      const detail = detailOf(entry);
      const hash = hashOf({ seq, segment, at, actor, action, subject, detail, prevHash });
      insert.run(seq, segment, at, actor, action, subject, detail, prevHash, hash);
      onRecord();
    },
  };
}

const LONGEST_TEXT = 1_000;
const LONGEST_DETAIL = 20_000;

/** What an agent asked for may be of any length. And what the database would give back otherwise doesn't get into a hash. */
function short(text: string): string {
  return cleanText(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
}

function detailOf({ detail = {} }: AuditEntry): string {
  const json = JSON.stringify(detail, (_name, value: unknown) => (typeof value === 'string' ? short(value) : value));
  return json.length > LONGEST_DETAIL ? JSON.stringify({ leftOut: `${json.length} characters` }) : json;
}
