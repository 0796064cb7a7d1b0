import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';

/**
 * Makes sure of a real folder with that owner and mode. One that had another owner changes hands with all that is in it:
 * a checkout that was moved has other uids. Its parents belong to the host, so that nobody can swap it meanwhile.
 */
export function ensureFolder(folder: string, uid: number | undefined, mode: number): void {
  const made = mkdirSync(folder, { recursive: true, mode }) !== undefined;
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is not a folder`);
  if (uid !== undefined && stat.uid !== uid) {
    if (made) chownSync(folder, uid, uid);
    else giveTree(folder, uid);
  }
  // The umask of the host is narrower than what an agent has to read.
  if ((stat.mode & 0o777) !== mode) chmodSync(folder, mode);
}

/** By the system's own program: it follows no link, and no tree is too deep for it. */
export function giveTree(folder: string, uid: number): void {
  execFileSync('chown', ['-R', '-h', '-P', '--', `${uid}:${uid}`, folder], { stdio: 'pipe' });
}
