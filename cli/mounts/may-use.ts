import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** Whether a sandbox of that uid may use the folder, ACLs and all; the folders above don't matter to a root host. */
export function mayUse(folder: string, uid: number | undefined, write: boolean): boolean {
  if (uid === undefined) return canAccess(folder, constants.R_OK | constants.X_OK | (write ? constants.W_OK : 0));
  const tests = ['-r', '.', '-a', '-x', '.', ...(write ? ['-a', '-w', '.'] : [])];
  // The working folder is entered before the uid is given up.
  return spawnSync('/usr/bin/test', tests, { cwd: folder, uid, gid: uid, env: {} }).status === 0;
}

function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
