import { existsSync, statfsSync } from 'node:fs';
import { diskState } from '../admin/housekeeping/disk.ts';
import { ERRORS, NanoError } from '../src/errors.ts';
import { pathsFor } from '../src/paths.ts';

/** With less than this, a host can't even open its database. */
const LEAST_BYTES = 1024 ** 2;

/** Throws NC_DISK_FULL when the disk of `data/` is: a host that ends there may not come back. */
export function refuseWithoutRoom(home: string): void {
  const { state, sentence } = roomFor(home);
  if (state === 'full') throw new NanoError('NC_DISK_FULL', `${sentence} Nothing was stopped.`);
}

/** NC_DISK_FULL in the place of a failed start that was one for want of room, as its log may have none to say so; else `thrown` as it is. */
export function orNoRoom(home: string, thrown: unknown): unknown {
  if (!(thrown instanceof NanoError) || !['NC_HOST_START', 'NC_SERVICE'].includes(thrown.code)) return thrown;
  const { free, sentence } = roomFor(home);
  const isSaid = thrown.message.includes(ERRORS.NC_DISK_FULL.sentence) || thrown.message.includes('ENOSPC');
  if (!isSaid && free >= LEAST_BYTES) return thrown;
  return new NanoError('NC_DISK_FULL', `${sentence} The host did not start.`, { cause: thrown });
}

function roomFor(home: string) {
  const { data } = pathsFor(home);
  const stats = statfsSync(existsSync(data) ? data : home);
  const free = stats.bavail * stats.bsize;
  return { state: diskState(stats), free, sentence: `${Math.floor(free / 1024 ** 2)} MB are free for ${data}.` };
}
