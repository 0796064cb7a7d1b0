import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

const FAR_MS = 30 * 86_400_000;

/**
 * Whether the clock may say what is old. A time far past the last one that was believed takes everything for old: an owner
 * has to say that it is right. Outlives a restart, since what comes in after one has that clock's times.
 */
export function createClockTrust(db: DatabaseSync, data: string, log: Logger) {
  const file = join(data, 'clock-believed');
  let last = 0;
  function believe(time: number): void {
    last = time;
    try {
      writeFileSync(file, isoTime(time), { mode: 0o600 });
    } catch (error) {
      log.warn('the time that is believed was not noted', { error: errorText(error) });
    }
  }
  const newest = db.prepare('SELECT created_at AS at FROM messages ORDER BY rowid DESC LIMIT 1').get();
  believe(believedBefore(file) ?? (newest ? Date.parse(String(newest.at)) : Date.now()));
  return {
    /** `now`: ms since the epoch. `byHand`: an owner has asked for it. */
    believes(now: number, byHand: boolean): boolean {
      if (!byHand && now - last > FAR_MS) return false;
      believe(now);
      return true;
    },
    problem(now: number): string | undefined {
      if (now - last <= FAR_MS) return undefined;
      return `The clock says ${isoTime(now)}, the last time known is ${isoTime(last)}: nothing old is removed. When the clock is right, run \`ncl housekeeping\`.`;
    },
  };
}

function believedBefore(file: string): number | undefined {
  try {
    return Date.parse(readFileSync(file, 'utf8')) || undefined;
  } catch {
    // None was noted, or it can't be read: the messages know.
    return undefined;
  }
}
