import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { NanoError } from '../errors.ts';
import { type Migration, migrations as released } from './migrations/index.ts';

/**
 * Applies what is missing. `backup` is called once, before the first change to a database that holds something.
 * Returns the names that were applied. Throws NC_DB_NEWER when the database has migrations that this program lacks.
 */
export function migrate(
  db: DatabaseSync,
  backup: () => void,
  now: number,
  migrations: readonly Migration[] = released,
): string[] {
  db.exec(
    'CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, applied TEXT NOT NULL)',
  );
  const applied = db
    .prepare('SELECT name FROM schema_version ORDER BY version')
    .all()
    .map((row) => String(row.name));
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = applied.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new NanoError('NC_DB_NEWER', `It has ${unknown.join(', ')}.`);

  const missing = migrations.filter((migration) => !applied.includes(migration.name));
  if (missing.length > 0 && applied.length > 0) backup();
  for (const migration of missing) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(migration.sql);
      db.prepare('INSERT INTO schema_version (name, applied) VALUES (?, ?)').run(migration.name, isoTime(now));
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
  return missing.map((migration) => migration.name);
}
