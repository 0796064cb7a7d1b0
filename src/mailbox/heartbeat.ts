import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** The time that `.heartbeat` says, in ms; null when there is no such file. Only that it changes means anything. */
export function heartbeatTime(boxFolder: string): number | null {
  try {
    const found = lstatSync(join(boxFolder, '.heartbeat'), { throwIfNoEntry: false });
    return found?.isFile() ? found.mtimeMs : null;
  } catch {
    // An agent may take every right from its folder: that is no sign of life.
    return null;
  }
}
