import type { DatabaseSync } from 'node:sqlite';
import type { Audit } from '../../src/audit/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Result } from '../view.ts';
import type { By } from './index.ts';

/** One change: all of it with its entry in the audit log, or nothing. */

export interface Note {
  /** `<what>.<done>`. */
  action: string;
  subject: string;
  detail?: Readonly<Record<string, unknown>>;
}

export type Change = <T>(by: By, now: number, work: (note: (entry: Note) => void) => Result<T>) => Result<T>;

export function createChange(db: DatabaseSync, audit: Audit): Change {
  return (by, now, work) =>
    atomically(db, () =>
      work(({ action, subject, detail }) => {
        const speakers = by.speakers && { speakers: by.speakers };
        audit.record({ actor: by.actor, action, subject, detail: { ...detail, ...by.detail, ...speakers } }, now);
      }),
    );
}

/** In a transaction of its own, or as part of the one that runs. What is refused is undone. */
export function atomically<T>(
  db: DatabaseSync,
  work: () => Result<T>,
  keep: (result: Result<T>) => boolean = isDone,
): Result<T> {
  const [begin, end, undo] = db.isTransaction
    ? ['SAVEPOINT change', 'RELEASE change', 'ROLLBACK TO change; RELEASE change']
    : ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'];
  db.exec(begin);
  try {
    const result = work();
    db.exec(keep(result) ? end : undo);
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec(undo);
    throw error;
  }
}

function isDone(result: Result<unknown>): boolean {
  return result.ok;
}

export const DONE = { ok: true, data: null } as const;

export function refuse(code: ErrorCode, detail: string): { ok: false; code: ErrorCode; detail: string } {
  return { ok: false, code, detail };
}

/** The same words for what isn't there and for what `by` may not see. */
export function missing(word: string, id: string): { ok: false; code: ErrorCode; detail: string } {
  return refuse('NC_NOT_FOUND', `There is no ${word} ${JSON.stringify(id.slice(0, 80))}.`);
}

export function mayTouch(by: By, agentGroupId: string): boolean {
  return by.scope === null || by.scope === agentGroupId;
}

/** What concerns more than one agent. */
export function mayTouchAll(by: By): boolean {
  return by.scope === null;
}

export const OUT_OF_SCOPE = refuse('NC_FORBIDDEN', 'It concerns more than this agent.');
