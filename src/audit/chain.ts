import { hash } from 'node:crypto';

/** What ties the audit log's rows together: each one's hash is made of all that is in it and of the hash before it. Pure. */

export interface AuditRow {
  seq: number;
  segment: number;
  /** ISO-8601 UTC. */
  at: string;
  actor: string;
  action: string;
  subject: string;
  /** JSON, as it is stored. */
  detail: string;
  prevHash: string;
  hash: string;
}

/** Before the first row. */
export const GENESIS = '0'.repeat(64);

/** A segment has at most so many rows, and those of one month. */
export const SEGMENT_ROWS = 10_000;

/** JSON of a list: no two different rows are written alike, wherever their quotes, commas and empty fields are. */
export function hashOf(row: Omit<AuditRow, 'hash'>): string {
  const { seq, segment, at, actor, action, subject, detail, prevHash } = row;
  return hash('sha256', JSON.stringify([seq, segment, at, actor, action, subject, detail, prevHash]));
}

/** Entries of the log about itself, which `verify` reads. */
export const LOG_BROKEN = 'audit.broken';
export const SEGMENT_DROPPED = 'segment.dropped';
export const BACKUP_RESTORED = 'backup.restored';
