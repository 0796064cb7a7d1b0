import { DatabaseSync } from 'node:sqlite';
import { faultPoint } from './fault.ts';
import { INBOUND_SCHEMA, OUTBOUND_SCHEMA } from './schema.ts';

/** The statements of step n (the index) bring a file from version n to n + 1. Released steps are never edited. */
export type Steps = readonly (readonly string[])[];

export const OUTBOUND_STEPS: Steps = [Object.values(OUTBOUND_SCHEMA)];
export const INBOUND_STEPS: Steps = [Object.values(INBOUND_SCHEMA)];

export class NewerMailboxError extends Error {
  constructor(found: number, known: number) {
    super(`The mailbox file has version ${found}; this program knows versions up to ${known}`);
    this.name = 'NewerMailboxError';
  }
}

/** Brings the runner's own file to the current version, in one transaction. Throws NewerMailboxError on a later one. */
export function upgradeOutbound(db: DatabaseSync): void {
  upgrade(db, OUTBOUND_STEPS);
}

/** The same for the host's own file. */
export function upgradeInbound(db: DatabaseSync): void {
  upgrade(db, INBOUND_STEPS);
}

/** A writer upgrades its own file, forward only; the version is the number of steps that the file has seen. */
export function upgrade(db: DatabaseSync, steps: Steps): void {
  if (readVersion(db) === steps.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = readVersion(db);
    if (version > steps.length) throw new NewerMailboxError(version, steps.length);
    for (const statement of steps.slice(version).flat()) {
      db.exec(statement);
      faultPoint('runner.upgrading');
    }
    db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
  } catch (error) {
    // Some errors end the transaction by themselves; a failing ROLLBACK must not hide what went wrong.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** What `sqlite_schema` of a file at `version` holds, to the letter: a line an entry, sorted. */
export function catalogAt(version: number, steps: Steps): readonly string[] {
  const db = new DatabaseSync(':memory:');
  try {
    upgrade(db, steps.slice(0, version));
    return readCatalog(db);
  } finally {
    db.close();
  }
}

/** The same of an open file. */
export function readCatalog(db: DatabaseSync): readonly string[] {
  const rows = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema').all();
  return rows.map((row) => JSON.stringify([row.type, row.name, row.tbl_name, row.sql])).toSorted();
}

function readVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}
