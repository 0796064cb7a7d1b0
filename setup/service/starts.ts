import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What launch.sh notes of a host's starts. */

export interface Starts {
  /** Starts in a row that came within 60 s of the one before: 0 when it runs well. */
  crashes: number;
  /** Seconds until the next one; 0 when that is past. */
  pauseLeft: number;
}

export function serviceFolder(home: string): string {
  return join(home, 'data', 'service');
}

export function readStarts(home: string): Starts {
  try {
    const [, start = 0, crashes = 0] = readFileSync(startsFile(home), 'utf8').split(' ').map(Number);
    return { crashes, pauseLeft: Math.max(0, start - Number(readFileSync('/proc/uptime', 'utf8').split('.')[0])) };
  } catch {
    // None was noted.
    return { crashes: 0, pauseLeft: 0 };
  }
}

/** The next start is the first one: it comes at once. */
export function forgetStarts(home: string): void {
  rmSync(startsFile(home), { force: true });
}

function startsFile(home: string): string {
  return join(serviceFolder(home), 'starts');
}
