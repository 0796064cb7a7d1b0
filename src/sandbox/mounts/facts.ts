import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { errorText } from '../../errors.ts';
import type { Allowlist } from './allowlist.ts';
import { type FoundPath, patternsOf } from './decide.ts';

/** What `decideMount` has to know, from the file system as it is now. */

export function findPath(path: string, blocked: readonly string[]): FoundPath | { missing: string } {
  try {
    if (!isAbsolute(path)) return { missing: 'ENOENT' };
    const real = realpathSync.native(path);
    const stat = statSync(real);
    const parents = parentsOf(real).map((parent) => ({ path: parent, ...pick(parent) }));
    if (!stat.isDirectory())
      return { real, kind: stat.isFile() ? 'file' : 'special', identity: '', holds: [], parents };
    const identity = identityOf(real);
    if (identity === undefined) return { missing: 'ESTALE' };
    const holds = patternsOf(readdirSync(real), blocked);
    return { real, kind: 'folder', identity, holds, parents };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : errorText(error);
    return { missing: code === 'ENOTDIR' ? 'ENOENT' : code };
  }
}

export function realRoots(list: Allowlist): Map<string, string> {
  const paths = list.state === 'read' ? list.allowedRoots.map((root) => root.path) : [];
  return new Map(paths.flatMap((path) => realIfThere(path).map((real): [string, string] => [path, real])));
}

/** One, or none where it isn't there. */
export function realIfThere(path: string): string[] {
  const found = findReal(path);
  return found === undefined ? [] : [found];
}

function findReal(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    // What can't be followed allows nothing, and protects nothing.
    return undefined;
  }
}

/** Of the folder that lies there with no link on the way; undefined when a link was put there meanwhile. */
function identityOf(real: string): string | undefined {
  const fd = openSync(real, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (process.platform === 'linux' && readlinkSync(`/proc/self/fd/${fd}`) !== real) return undefined;
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  } finally {
    closeSync(fd);
  }
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...parentsOf(parent)];
}

function pick(path: string): { uid: number; mode: number } {
  const { uid, mode } = statSync(path);
  return { uid, mode };
}
