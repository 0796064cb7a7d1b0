import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { headOf, readHead, writeHead } from '../../admin/audit/anchor.ts';
import { finishRestore } from '../../admin/housekeeping/finish-restore.ts';
import { lockInstall } from '../../admin/housekeeping/install-lock.ts';
import { BACKUP_RESTORED } from '../../src/audit/chain.ts';
import { createAudit } from '../../src/audit/index.ts';
import { asDatabaseError, isBusy, openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { takeLease } from '../../src/db/lease.ts';
import { NanoError } from '../../src/errors.ts';
import type { Paths } from '../../src/paths.ts';
import { type Manifest, removeTree, unpackChecked } from './backup.ts';
import { readyChannels } from './channels.ts';
import { checkRoom } from './room.ts';
import { asTrouble } from './trouble.ts';

/**
 * A backup takes the place of what is there. It is unpacked and checked in a folder of its own; one rename of that folder is
 * the decision, and what then remains to be moved is moved by whoever comes first: this command, or the next host.
 */

/**
 * No host can start meanwhile. Throws NC_RESTORE, NC_DB_BUSY, NC_BACKUP, NC_DB_NEWER, NC_DISK_FULL, NC_DATA_FOLDER; then
 * nothing was changed.
 */
export async function restore(paths: Paths, file: string): Promise<{ manifest: Manifest; aside: string }> {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new NanoError('NC_NOT_FOUND', `There is no ${file}.`);
  // A pipe would be waited for.
  if (!found.isFile()) throw new NanoError('NC_BACKUP', `${file} is ${found.isDirectory() ? 'a folder' : 'no file'}.`);
  mkdirSync(paths.data, { recursive: true, mode: 0o711 });
  const groups = existsSync(paths.groups) ? paths.groups : dirname(paths.groups);
  if (statSync(paths.data).dev !== statSync(groups).dev) {
    throw new NanoError('NC_BACKUP', 'data/ and groups/ have to be on one disk for this.');
  }
  const unlock = lockForRestore(paths.data);
  try {
    return await restoreLocked(paths, file);
  } catch (error) {
    throw asTrouble(error, paths.data);
  } finally {
    unlock();
  }
}

export function needsStop(why: string): NanoError {
  return new NanoError('NC_RESTORE', `A restore needs the host stopped (${why}): run \`ncl stop\` first.`);
}

function lockForRestore(data: string): () => void {
  try {
    return lockInstall(data);
  } catch (error) {
    if (!(error instanceof NanoError && error.code === 'NC_DB_BUSY')) throw error;
    const pid = readdirSync(data).flatMap((name) => /^\.restoring-(\d+)-/.exec(name)?.[1] ?? [])[0];
    throw pid ? new NanoError('NC_RESTORE', `Another restore is at work (process id ${pid}).`) : error;
  }
}

async function restoreLocked(paths: Paths, file: string): Promise<{ manifest: Manifest; aside: string }> {
  // What an earlier one has decided: no host can have started since without finishing it.
  finishRestore(paths);
  await checkRoom([{ folder: paths.data, bytes: statSync(file).size }]);
  const unpacked = mkdtempSync(join(paths.data, `.restoring-${process.pid}-`));
  try {
    const { manifest } = await unpackChecked(file, unpacked);
    for (const folder of ['groups', 'data/v2-sessions']) {
      mkdirSync(join(unpacked, folder), { recursive: true });
      chmodSync(join(unpacked, folder), 0o711);
    }
    for (const file of ['data/v2.db', '.env']) {
      if (existsSync(join(unpacked, file))) chmodSync(join(unpacked, file), 0o600);
    }
    readyChannels(paths, unpacked, manifest.secrets);
    refuseBesideHost(paths.db);
    noteRestore(paths, unpacked, manifest);
    // On the disk before anything is moved.
    execFileSync('sync', ['-f', unpacked]);
    renameSync(unpacked, join(paths.data, `restore-${new Date().toISOString().replaceAll(':', '-')}`));
    return { manifest, aside: finishRestore(paths) ?? '' };
  } finally {
    await removeTree(unpacked);
  }
}

/**
 * The log goes on where the backup's ended, and says so. Its new head takes the place of the one that is there, with the
 * database, or every restore would look as if rows had been cut off.
 */
function noteRestore(paths: Paths, unpacked: string, { createdAt }: Manifest): void {
  const replaced = readHead(paths.auditHead) ?? null;
  const now = Date.now();
  const db = openCentral({ file: join(unpacked, 'data/v2.db'), backups: join(unpacked, 'data/backups'), now });
  try {
    const entry = { actor: 'host', action: BACKUP_RESTORED, subject: createdAt, detail: { replaced } };
    transaction(db, () => createAudit(db).record(entry, now));
    writeHead(join(unpacked, 'data/audit-head'), headOf(db));
  } finally {
    db.close();
  }
}

/** A host that has started holds the lease. A database that can't be read has none: no host starts on it. */
function refuseBesideHost(file: string): void {
  if (!existsSync(file)) return;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 5000 });
    takeLease(db, Date.now());
  } catch (error) {
    if (error instanceof NanoError && error.code === 'NC_HOST_RUNNING') throw needsStop('one holds the database');
    if (error instanceof NanoError || isBusy(error)) throw asDatabaseError(error);
  } finally {
    db?.close();
  }
}
