import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, processStart } from '../../src/processes.ts';

/** Who runs from a build: a file for each process, named by its id. What they load late has to be there. */

const FOLDER = 'users';
/** That many may be of processes that were killed, before they are looked at. */
const MANY = 20;
/** The boot's id, at the beginning of what names a process. */
const BOOT = 36;

/** The list, of a build that is to be made. */
export function openList(build: string): void {
  mkdirSync(join(build, FOLDER));
}

/** Until this process ends, or `forget`s. Where nothing can be written (a build that is gone, another user's), it isn't noted. */
export function noteUse(build: string): { forget(): void } {
  const folder = join(build, FOLDER);
  const file = join(folder, String(process.pid));
  const forget = () => {
    try {
      rmSync(file, { force: true });
    } catch {
      // Another user's folder.
    }
  };
  try {
    writeFileSync(file, processStart(process.pid) ?? '');
    process.on('exit', forget);
    const all = readdirSync(folder);
    if (all.length > MANY) for (const pid of all) if (!runs(folder, pid)) rmSync(join(folder, pid), { force: true });
  } catch {
    // It is noted, or it isn't.
  }
  return { forget };
}

/** Also when that can't be told. */
export function isInUse(build: string): boolean {
  const folder = join(build, FOLDER);
  try {
    return readdirSync(folder).some((pid) => runs(folder, pid));
  } catch {
    return false;
  }
}

function runs(folder: string, pid: string): boolean {
  try {
    const noted = readFileSync(join(folder, pid), 'utf8');
    if (noted === '') return isAlive(Number(pid));
    const own = processStart(process.pid) ?? '';
    const isVisible = noted.split('#')[0] === own.split('#')[0];
    // One of another pid namespace can't be looked at; one of another boot is gone.
    return isVisible ? processStart(Number(pid)) === noted : noted.slice(0, BOOT) === own.slice(0, BOOT);
  } catch {
    return false;
  }
}
