import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How long ago the runner's timer touched `.heartbeat`; null when it never did. A time in the future counts as its
 * distance: a small one is a clock that was set, a large one is a runner that wants to look alive for ever.
 */
export function heartbeatAgeMs(boxFolder: string, now: number): number | null {
  const found = lstatSync(join(boxFolder, '.heartbeat'), { throwIfNoEntry: false });
  return found?.isFile() ? Math.abs(now - found.mtimeMs) : null;
}
