import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

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

/** One that can't be used is made anew. */
export function openIndex(file: string): DatabaseSync {
  try {
    return open(file);
  } catch {
    dropIndex(file);
    return open(file);
  }
}

export function dropIndex(file: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
}

function open(file: string): DatabaseSync {
  // Everything that was ever said is in it.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: 1_000 });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY');
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version === 0) db.exec(`BEGIN; ${TABLES}; PRAGMA user_version = ${VERSION}; COMMIT`);
    else if (version !== VERSION) throw new Error(`It has version ${version}.`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
