import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Paths } from '../../src/paths.ts';

/** The folder of a backup that is unpacked and checked; its being there is the decision to put it in place. */
const DECIDED = /^restore-\d/;

/**
 * Moves what is there aside and a checked backup in, piece by piece; may be cut short at any point, and be called again.
 * Returns where the former state is; undefined when there was nothing to finish. Only under the lock of install-lock.ts.
 */
export function finishRestore(paths: Paths): string | undefined {
  const names = existsSync(paths.data) ? readdirSync(paths.data) : [];
  // One that was killed while it unpacked; agents may have closed folders in it.
  for (const name of names.filter((one) => one.startsWith('.restoring-')))
    execFileSync('sh', ['-c', 'chmod -R u+rwX -- "$0"; rm -rf -- "$0"', join(paths.data, name)], { stdio: 'ignore' });
  const staged = names.find((name) => DECIDED.test(name));
  if (staged === undefined) return undefined;
  const from = join(paths.data, staged);
  const aside = join(paths.data, `before-${staged}`);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  // What outlived its host has the folders that are moved mounted: where this one is missing, no sandbox is taken over.
  rmSync(paths.run, { recursive: true, force: true });
  const database = join(from, 'data/v2.db');
  // A journal belongs to its database: the old one's may not lie beside the new one.
  if (existsSync(database)) for (const end of ['-wal', '-shm']) moveAside(`${paths.db}${end}`, aside);
  // Made of the other database; the next search makes it again.
  for (const end of ['', '-wal', '-shm']) rmSync(`${paths.history}${end}`, { force: true });
  const pieces: readonly [string, string][] = [
    [database, paths.db],
    [join(from, 'data/audit-head'), paths.auditHead],
    [join(from, 'data/v2-sessions'), paths.sessions],
    [join(from, 'data/received'), join(paths.data, 'received')],
    [join(from, 'data/channels'), paths.channels],
    [join(from, 'data/skills'), join(paths.data, 'skills')],
    [join(from, 'groups'), paths.groups],
    [join(from, '.env'), paths.env],
  ];
  for (const [piece, place] of pieces) {
    if (!existsSync(piece)) continue;
    moveAside(place, aside);
    renameSync(piece, place);
  }
  rmSync(from, { recursive: true });
  return aside;
}

function moveAside(path: string, aside: string): void {
  if (!existsSync(path)) return;
  const name = basename(path);
  // After a cut, something may have been made anew in its place.
  renameSync(path, join(aside, existsSync(join(aside, name)) ? `${name}-${Date.now()}` : name));
}
