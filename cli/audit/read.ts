import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { AuditRow } from '../../src/audit/chain.ts';
import { asDatabaseError } from '../../src/db/connection.ts';
import { NanoError } from '../../src/errors.ts';
import type { Segment } from './verify.ts';

/** The audit log, beside a running host or without one; nothing is written. */

const COLUMNS = 'seq, segment, at, actor, action, subject, detail, prev_hash, hash';

export interface AuditFilter {
  /** An id, or its beginning; so are the others. */
  subject?: string | undefined;
  actor?: string | undefined;
  action?: string | undefined;
  /** ISO-8601 UTC. */
  since?: string | undefined;
}

/** What is read is of one moment. Throws NC_NOT_FOUND, NC_DB_CORRUPT, NC_DATA_FOLDER. */
export function withLog<T>(file: string, work: (db: DatabaseSync) => T): T {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    db.exec('BEGIN');
    if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'audit_log'").get())
      throw new NanoError('NC_NOT_FOUND', 'The audit log begins with the next start of the host.');
    return work(db);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    db?.close();
  }
}

export function readSegments(db: DatabaseSync): Segment[] {
  const rows = db.prepare('SELECT * FROM audit_segments ORDER BY segment').all();
  return rows.map((row) => ({
    segment: Number(row.segment),
    firstSeq: Number(row.first_seq),
    firstPrev: String(row.first_prev),
    lastSeq: row.last_seq === null ? null : Number(row.last_seq),
    lastHash: row.last_hash === null ? null : String(row.last_hash),
    sealedAt: row.sealed_at === null ? null : String(row.sealed_at),
    droppedAt: row.dropped_at === null ? null : String(row.dropped_at),
  }));
}

/** Every row, in order. */
export function* readRows(db: DatabaseSync): Generator<AuditRow> {
  for (const row of db.prepare(`SELECT ${COLUMNS} FROM audit_log ORDER BY seq`).iterate()) yield asRow(row);
}

/** The newest that fit, oldest first; without what is being removed. */
export function findRows(db: DatabaseSync, filter: AuditFilter, limit: number): AuditRow[] {
  const begins = (column: string) => `(?n IS NULL OR ${column} >= ?n AND ${column} < ?n || char(1114111))`;
  const where = ['subject', 'actor', 'action'].map((column, index) => begins(column).replaceAll('?n', `?${index + 1}`));
  const rows = db
    .prepare(
      `SELECT ${COLUMNS} FROM audit_log WHERE ${where.join(' AND ')} AND (?4 IS NULL OR at >= ?4)
         AND segment NOT IN (SELECT segment FROM audit_segments WHERE dropped_at IS NOT NULL) ORDER BY seq DESC LIMIT ?5`,
    )
    .all(filter.subject ?? null, filter.actor ?? null, filter.action ?? null, filter.since ?? null, limit);
  return rows.map(asRow).reverse();
}

function asRow(row: Record<string, SQLOutputValue>): AuditRow {
  return {
    seq: Number(row.seq),
    segment: Number(row.segment),
    at: String(row.at),
    actor: String(row.actor),
    action: String(row.action),
    subject: String(row.subject),
    detail: String(row.detail),
    prevHash: String(row.prev_hash),
    hash: String(row.hash),
  };
}
