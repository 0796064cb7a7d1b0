/** The last resort: looks at what the sandbox's processes hold, and ends the sandbox when it is too much. CPU stays unlimited. */
import { type ProcessId, residentBytes, signal } from '../processes.ts';
import type { LimitMeans } from './means.ts';

const LOOK_EVERY_MS = 200;

/** Over by half: at once. Over by less: at the second look, since a fork counts shared pages twice until its exec. */
export function isTooMuch(bytes: number, before: number, limit: number): boolean {
  return bytes > limit * 1.5 || (bytes > limit && before > limit);
}

export function createWatchdog(): LimitMeans {
  return {
    name: 'watchdog',
    holds: new Set(['memory']),
    open(_id, limits) {
      let timer: NodeJS.Timeout | undefined;
      let outOfMemory = false;
      const watch = (first: ProcessId): void => {
        let before = 0;
        timer = setInterval(() => {
          const bytes = residentBytes(first.pid);
          if (isTooMuch(bytes, before, limits.memoryBytes)) {
            outOfMemory = true;
            signal(first, 'SIGKILL');
          }
          before = bytes;
        }, LOOK_EVERY_MS).unref();
      };
      return {
        prefix: [],
        env: {},
        enter: watch,
        isOutOfMemory: () => outOfMemory,
        release: async () => clearInterval(timer),
      };
    },
    // Its sandboxes die with the host, whatever happens to it.
    sweep: async () => 0,
  };
}
