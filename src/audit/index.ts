import type { DatabaseSync } from 'node:sqlite';

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
  /** Inside a transaction: it stands or falls with what it tells of. `now` in ms since the epoch. */
  record(entry: AuditEntry, now: number): void;
}

export function createAudit(_db: DatabaseSync): Audit {
  return { record() {} };
}
