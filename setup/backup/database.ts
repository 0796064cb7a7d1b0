import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCode } from '../../src/db/connection.ts';
import { migrations } from '../../src/db/migrations/index.ts';
import { errorText, NanoError } from '../../src/errors.ts';

/** The central database in a backup. */

/** A consistent copy beside a host that writes; returns its rows. Its lease stays behind. */
export function copyDatabase(from: string, scratch: string, to: string): Record<string, number> {
  readable(from, scratch, (source) => {
    rmSync(to, { force: true });
    vacuum(source, to);
  });
  const copy = new DatabaseSync(to);
  copy.exec('DELETE FROM hosts');
  copy.close();
  return checkDatabase(to);
}

/**
 * Even to be read a database needs a file beside it, and its disk may have no room for one or be read-only. Nobody has it open
 * then, and a copy of its files in `scratch` is as good.
 */
export function readable<T>(from: string, scratch: string, work: (source: string) => T): T {
  const shared = sizeOf(`${from}-shm`);
  try {
    return work(from);
  } catch (error) {
    if (shared >= LEAST_SHARED || !CANNOT_WRITE.has(sqliteCode(error) ?? 0)) throw error;
    const copy = join(scratch, basename(from));
    for (const end of ['', '-wal']) {
      if (existsSync(`${from}${end}`)) copyFileSync(`${from}${end}`, `${copy}${end}`);
    }
    return work(copy);
  }
}

/** Bytes of the file that a database's users share, from the first of them on. */
const LEAST_SHARED = 32 * 1024;

/** SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN. */
const CANNOT_WRITE = new Set([8, 10, 13, 14]);

function vacuum(from: string, to: string): void {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    source.prepare('VACUUM INTO ?').run(to);
  } finally {
    source.close();
  }
}

/** Rows of each table. Throws NC_BACKUP, NC_DB_NEWER. */
export function checkDatabase(file: string): Record<string, number> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const found = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    const orphan = db.prepare('PRAGMA foreign_key_check').get()?.table;
    if (found !== 'ok' || orphan !== undefined) {
      throw new NanoError('NC_BACKUP', `Its database is damaged: ${orphan ?? found}.`);
    }
    const known = new Set<unknown>(migrations.map(({ name }) => name));
    if (
      db
        .prepare('SELECT name FROM schema_version')
        .all()
        .some(({ name }) => !known.has(name))
    ) {
      throw new NanoError('NC_DB_NEWER');
    }
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const count = (table: unknown) => Number(db.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.n);
    return Object.fromEntries(tables.map(({ name }) => [String(name), count(name)]));
  } catch (error) {
    throw error instanceof NanoError ? error : new NanoError('NC_BACKUP', `Its database: ${errorText(error)}.`);
  } finally {
    db.close();
  }
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
