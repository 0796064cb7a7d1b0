import type { DatabaseSync } from 'node:sqlite';
import { INBOUND_SCHEMA, INBOUND_VERSION, OUTBOUND_SCHEMA, OUTBOUND_VERSION } from './schema.ts';

/** Steps from version n (the index) to n + 1. A writer upgrades its own file, forward only. */
const OUTBOUND_STEPS: readonly (readonly string[])[] = [Object.values(OUTBOUND_SCHEMA)];
const INBOUND_STEPS: readonly (readonly string[])[] = [Object.values(INBOUND_SCHEMA)];

export class NewerMailboxError extends Error {
  constructor(found: number, known: number) {
    super(`The mailbox file has version ${found}; this program knows versions up to ${known}`);
    this.name = 'NewerMailboxError';
  }
}

/** Brings the runner's own file to the current version, in one transaction. Throws NewerMailboxError on a later one. */
export function upgradeOutbound(db: DatabaseSync): void {
  upgrade(db, OUTBOUND_STEPS, OUTBOUND_VERSION);
}

/** The same for the host's own file. */
export function upgradeInbound(db: DatabaseSync): void {
  upgrade(db, INBOUND_STEPS, INBOUND_VERSION);
}

function upgrade(db: DatabaseSync, steps: readonly (readonly string[])[], target: number): void {
  if (readVersion(db) === target) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    const version = readVersion(db);
    if (version > target) throw new NewerMailboxError(version, target);
    for (const statements of steps.slice(version)) for (const statement of statements) db.exec(statement);
    db.exec(`PRAGMA user_version = ${target}`);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function readVersion(db: DatabaseSync): number {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
  return row.user_version;
}
