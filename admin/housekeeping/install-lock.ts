import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { asDatabaseError, isBusy } from '../../src/db/connection.ts';
import { NanoError } from '../../src/errors.ts';
import { asNanoError } from '../../src/system-error.ts';

/** Another start takes less; a restore may take minutes, and is not waited for. */
const WAIT_MS = 5_000;

/**
 * Keeps a restore and the start of a host apart, whatever the central database is like: a host holds it until it has the
 * lease, a restore for its whole length. Beside the database, which a restore replaces. It ends with its process at the
 * latest, or when the returned function is called. Throws NC_DB_BUSY, NC_DATA_FOLDER.
 */
export function lockInstall(data: string): () => void {
  const file = join(data, 'install.lock');
  let db: DatabaseSync;
  try {
    accessSync(data, constants.W_OK);
    if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
    db = new DatabaseSync(file, { timeout: WAIT_MS });
  } catch (error) {
    throw asNanoError(asDatabaseError(error));
  }
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) throw new NanoError('NC_DB_BUSY', 'A restore, or another start, goes on.', { cause: error });
    throw asDatabaseError(error);
  }
  return () => db.close();
}
