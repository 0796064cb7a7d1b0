import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathsFor } from '../src/paths.ts';

/**
 * The process that holds this install by the database's lease, when it is really a host that runs; for when the admin
 * socket doesn't answer.
 */
export function readLeaseHolder(home: string): number | undefined {
  const { db: file } = pathsFor(home);
  if (!existsSync(file)) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
    const pid = Number(db.prepare('SELECT pid FROM hosts WHERE id = 1 AND released = 0').get()?.pid);
    return Number.isInteger(pid) && isHost(pid) ? pid : undefined;
  } catch {
    // A damaged database names nobody: the host itself says so when it is started.
    return undefined;
  } finally {
    db?.close();
  }
}

/** Whether the last host of this install is gone without having ended in order. Only where none runs. */
export function endedAbruptly(home: string): boolean {
  const { db: file } = pathsFor(home);
  if (!existsSync(file)) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
    return db.prepare('SELECT released FROM hosts WHERE id = 1').get()?.released === 0;
  } catch {
    // A damaged database tells nothing of it.
    return false;
  } finally {
    db?.close();
  }
}

/** A pid is reused after a crash or a reboot: only a process that runs a host's program is one. */
function isHost(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .some((word) => word.endsWith('src/index.ts'));
  } catch {
    return false;
  }
}
