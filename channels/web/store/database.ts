import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * `web.db` in the channel's private folder: who may log in, and what was said. The host writes it, and the command that
 * makes a login link does, from a process of its own.
 */

const SCHEMA = `
CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, created_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS links (hash TEXT PRIMARY KEY, user TEXT NOT NULL, expires_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS logins (
  hash TEXT PRIMARY KEY, user TEXT NOT NULL, created_at TEXT NOT NULL, seen_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS chats (
  id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL,
  read_seq INTEGER NOT NULL DEFAULT 0, rev INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS chats_user ON chats (user);
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, chat TEXT NOT NULL REFERENCES chats (id),
  author TEXT NOT NULL CHECK (author IN ('me', 'agent')), key TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
  card TEXT, edited INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, note TEXT, outcome TEXT, speaker TEXT,
  UNIQUE (chat, author, key)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_rev ON messages (rev);
CREATE INDEX IF NOT EXISTS messages_chat ON messages (chat, seq);
CREATE TABLE IF NOT EXISTS files (
  id TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,
  created_at TEXT NOT NULL, message INTEGER REFERENCES messages (seq) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS files_message ON files (message);
`;

export function openStore(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(folder, 'web.db'), { timeout: 5_000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  db.exec(SCHEMA);
  if (!hasSpeakers(db)) atOnce(db, () => hasSpeakers(db) || db.exec('ALTER TABLE messages ADD COLUMN speaker TEXT'));
  return db;
}

/** At first it was not kept which agent had said something. */
function hasSpeakers(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM pragma_table_info('messages') WHERE name = 'speaker'").get() !== undefined;
}

/** Nothing in it waits: what is inside runs whole or not at all. */
export function atOnce<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

export function readFact(db: DatabaseSync, key: string): string | undefined {
  return db.prepare('SELECT value FROM facts WHERE key = ?').get(key)?.value?.toString();
}

export function writeFact(db: DatabaseSync, key: string, value: string): void {
  db.prepare('INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(
    key,
    value,
  );
}

/** Each change has the next number: a page that has seen one asks for what came after it. */
export function nextRevision(db: DatabaseSync): number {
  const next = revision(db) + 1;
  writeFact(db, 'revision', String(next));
  return next;
}

export function revision(db: DatabaseSync): number {
  return Number(readFact(db, 'revision') ?? 0);
}
