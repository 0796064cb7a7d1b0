import { closeSync, constants, fstatSync, futimesSync, openSync } from 'node:fs';
import { errorText, type Log } from './log.ts';
import { moveAside } from './places.ts';

const EVERY_MS = 1000;
const { O_WRONLY, O_CREAT, O_NONBLOCK, O_NOFOLLOW } = constants;

/**
 * Shows the host that the loop lives: called from the loop itself, so that a stuck loop goes quiet. True when it did so, once
 * a second. Never throws: without a fresh file the host ends the sandbox by itself.
 */
export function createHeartbeat(path: string, log: Log): (now: number) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return (now) => {
    // A clock that was set back must not make it quiet.
    if (Math.abs(now - last) < EVERY_MS) return false;
    last = now;
    try {
      touch(path, now);
    } catch (problem) {
      log('warn', 'heartbeat-failed', { error: errorText(problem) });
      try {
        moveAside(path);
        touch(path, now);
      } catch (error) {
        log('error', 'heartbeat-lost', { error: errorText(error) });
      }
    }
    return true;
  };
}

/** Neither waits at a pipe nor writes through a link. */
function touch(path: string, now: number): void {
  const file = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0o600);
  try {
    if (!fstatSync(file).isFile()) throw new Error('The heartbeat is not a regular file');
    futimesSync(file, now / 1000, now / 1000);
  } finally {
    closeSync(file);
  }
}
