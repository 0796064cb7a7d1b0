import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { errorText, isNoRoom, NanoError } from '../errors.ts';
import { asNanoError } from '../system-error.ts';
import { migrate } from './migrate.ts';

const BACKUPS_KEPT = 10;
/** Above this a full check at boot would cost seconds. */
const CHECKED_PAGES = 50_000;

/** What another program's commit may take. */
const BUSY_MS = 50;

export interface OpenOptions {
  file: string;
  backups: string;
  now: number;
}

/**
 * Opens the central database, checks and upgrades it.
 * Throws NC_DB_CORRUPT, NC_DB_NEWER, or NC_DATA_FOLDER when the file can't be made or written.
 */
export function openCentral({ file, backups, now }: OpenOptions): DatabaseSync {
  let db: DatabaseSync;
  try {
    // Everything that was ever said is in it; its journal gets the same mode from SQLite.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    db = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
  } catch (error) {
    throw asNanoError(asDatabaseError(error));
  }
  try {
    // FULL: an accepted message must survive a power cut, since its platform was told that we have it.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY');
    check(db);
    migrate(db, () => backup(db, backups, now), now);
    // From here on a lock of another program's holds up the event loop: it is waited for elsewhere.
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw asDatabaseError(error);
  }
}

/** SQLite's own errors as ours; everything else as it is. */
export function asDatabaseError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === 11 || code === 26) return new NanoError('NC_DB_CORRUPT', errorText(error), { cause: error });
  if (code === 13 || isNoRoom(error)) return new NanoError('NC_DISK_FULL', errorText(error), { cause: error });
  if (isBusy(error)) return new NanoError('NC_DB_BUSY', undefined, { cause: error });
  if (code === 8 || code === 14 || code === 10) {
    return new NanoError('NC_DATA_FOLDER', errorText(error), { cause: error });
  }
  return error;
}

/** The primary result code of an error of SQLite's, e.g. 11 for SQLITE_CORRUPT. */
export function sqliteCode(error: unknown): number | undefined {
  if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  return undefined;
}

/** Another program writes, and did not end in time. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6;
}

function check(db: DatabaseSync): void {
  const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count ?? 0);
  if (pages > CHECKED_PAGES) return;
  const found = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok') throw new NanoError('NC_DB_CORRUPT', String(found));
}

function backup(db: DatabaseSync, folder: string, now: number): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `v2-${isoTime(now).replaceAll(':', '-')}.db`);
  db.prepare('VACUUM INTO ?').run(file);
  const old = readdirSync(folder)
    .filter((name) => /^v2-.*\.db$/.test(name))
    .sort()
    .slice(0, -BACKUPS_KEPT);
  for (const name of old) unlinkSync(join(folder, name));
}
