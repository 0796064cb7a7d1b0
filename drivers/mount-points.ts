/** Makes the mount points inside writable folders, on the host, in a tree where the agent may have planted anything. */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { errorText } from '../src/errors.ts';
import type { Mount } from '../src/sandbox/driver.ts';
import type { MountPoint } from './mounts.ts';

const FRESH_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Walks from the writable root with no link followed (each step is relative to an open folder) and makes what is missing.
 * What stands in the way goes: a link or a special file is removed, a file or a folder of the agent's is renamed aside.
 * Returns the identity of each folder on the way, from the first component to the last but one.
 */
export function ensureMountPoint(point: MountPoint, now: () => number = Date.now): string[] {
  const last = point.components.length - 1;
  const wantsFolder = statSync(point.source).isDirectory();
  const passed: string[] = [];
  let folder = openSync(point.root, FOLDER);
  try {
    for (const [index, name] of point.components.entries()) {
      const at = `/proc/self/fd/${folder}/${name}`;
      const asFolder = index < last || wantsFolder;
      makeRoom(at, asFolder, now);
      if (index === last) break;
      const next = openSync(at, FOLDER);
      closeSync(folder);
      folder = next;
      passed.push(identityOf(fstatSync(folder, { bigint: true })));
    }
    return passed;
  } finally {
    closeSync(folder);
  }
}

function makeRoom(at: string, asFolder: boolean, now: () => number): void {
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (found && (asFolder ? found.isDirectory() : found.isFile())) return;
  if (found?.isDirectory() || found?.isFile()) renameSync(at, `${at}.displaced-${now()}`);
  else if (found) unlinkSync(at);
  if (asFolder) mkdirSync(at, { mode: 0o755 });
  else closeSync(openSync(at, FRESH_FILE, 0o644));
}

/**
 * Why a root host must not bind this source, or null: below a folder that the sandbox's uid owns, the agent could have put
 * a link in its place, and root would follow it.
 */
export function refuseSource(source: string, uid: number): string | null {
  for (let at = realpathSync(source); ; ) {
    const parent = at.slice(0, at.lastIndexOf('/')) || '/';
    const { uid: owner, mode } = statSync(parent);
    const open = (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
    if (owner === uid || open)
      return `${source} can be replaced from inside the sandbox: ${parent} is the agent's to write`;
    if (parent === '/') return null;
    at = parent;
  }
}

/** bwrap follows links once more when it mounts: whoever may write above a source could have put one there meanwhile. */
export function refuseMounted(mounts: readonly Mount[], pid: number): string | null {
  for (const { source, target, identity } of mounts) {
    if (identity === undefined) continue;
    const mounted = identityAt(`/proc/${pid}/root${target}`);
    if (mounted !== identity) return `${source} was replaced while it was being mounted (${mounted})`;
  }
  return null;
}

export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function identityAt(path: string): string {
  try {
    return identityOf(statSync(path, { bigint: true }));
  } catch (error) {
    return errorText(error);
  }
}
