import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from './db/group-commit.ts';
import { LONGEST_WAIT_MS } from './failures.ts';

/** The wall clock may be set, and a machine may sleep: what waits for a while must not wait an hour more, or all come at once. */

const JUMP_MS = 5_000;

export interface ClockWatch {
  /** How far the clock has been set since the last look, in ms; 0 when it has only gone on. */
  look(): number;
}

export function createClockWatch(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): ClockWatch {
  let offset = wall() - monotonic();
  return {
    look() {
      const now = wall() - monotonic();
      const jump = Math.round(now - offset);
      if (Math.abs(jump) < JUMP_MS) return 0;
      offset = now;
      return jump;
    },
  };
}

/**
 * Retries keep their distance from `now`, which is by `ms` another than it would have been. What was meant for a time of
 * the day stays, and so does what was put off after the clock was set and before that was noticed; after a small step back it
 * can't be told from a wait that is over and has its turn at this moment, and comes early. Returns the sessions to publish.
 */
export function shiftWaits(db: DatabaseSync, ms: number, now: number): string[] {
  const by = `${ms / 1000} seconds`;
  const isOld = (column: string) => `${column} ${ms > 0 ? '<=' : '>'} ?`;
  const bound = isoTime(ms < -LONGEST_WAIT_MS ? now + LONGEST_WAIT_MS : now);
  const moved = (column: string) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, ?)`;
  return transaction(db, () => {
    db.prepare(
      `UPDATE deliveries SET not_before = ${moved('not_before')}
       WHERE status IN ('queued', 'sending') AND attempts > 0 AND ${isOld('not_before')}`,
    ).run(by, bound);
    const rows = db
      .prepare(
        `UPDATE messages SET process_after = ${moved('process_after')}
         WHERE direction = 'in' AND status IN ('pending', 'paused') AND tries > 0 AND ${isOld('process_after')}
         RETURNING session_id`,
      )
      .all(by, bound);
    return [...new Set(rows.map((row) => String(row.session_id)))];
  });
}

/** At a start: no retry waits longer than the longest wait there is, wherever the clock stood when it was put off. */
export function endLongWaits(db: DatabaseSync, now: number): void {
  const bounds = [isoTime(now), isoTime(now + LONGEST_WAIT_MS)];
  db.prepare(
    `UPDATE messages SET process_after = ?1
     WHERE direction = 'in' AND status IN ('pending', 'paused') AND tries > 0 AND process_after > ?2`,
  ).run(...bounds);
  db.prepare(
    `UPDATE deliveries SET not_before = ?1 WHERE status IN ('queued', 'sending') AND attempts > 0 AND not_before > ?2`,
  ).run(...bounds);
}
