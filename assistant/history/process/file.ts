import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCode } from '../../../src/db/connection.ts';

/** data/history.db: the words of what was said. All of it can be made again from the central database. */

/** Another one, and it is made anew. */
const VERSION = 1;

const TABLES = `
-- Newer messages have higher numbers: the second in which it was said, and a count within that.
CREATE TABLE docs (doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
-- Words are made in words.ts; this only parts them at blanks.
CREATE VIRTUAL TABLE words USING fts5(text, who, place, content='', contentless_delete=1, tokenize='ascii', prefix='3');
CREATE TABLE places (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
-- Messages in whose place another one stands now.
CREATE TABLE replaced (id TEXT PRIMARY KEY, by_id TEXT NOT NULL) WITHOUT ROWID;
-- How far the table of messages was read: row numbers change (by VACUUM, say), ids don't.
CREATE TABLE marks (at INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Up to here history_changes was read.
  changes INTEGER NOT NULL,
  -- Since the file was last rid of what is gone.
  removed INTEGER NOT NULL DEFAULT 0,
  tidied_at INTEGER NOT NULL DEFAULT 0
);`;

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const BROKEN: readonly number[] = [11, 26];

class OtherVersion extends Error {}

/** Then it is to be made anew. A disk that is full, say, is no reason. */
export function isBroken(error: unknown): boolean {
  return error instanceof OtherVersion || BROKEN.includes(sqliteCode(error) ?? 0);
}

export function dropIndex(file: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
}

export function openIndex(file: string): DatabaseSync {
  // Everything that was ever said is in it.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: 1_000 });
  try {
    // Pages that held words of what is gone are overwritten.
    db.exec(
      'PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY',
    );
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version === VERSION) return db;
    const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
    if (version !== 0 || !isEmpty) throw new OtherVersion(`${file} has version ${version}.`);
    db.exec(`BEGIN; ${TABLES}; PRAGMA user_version = ${VERSION}; COMMIT`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
