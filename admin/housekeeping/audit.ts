import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { SEGMENT_DROPPED } from '../../src/audit/chain.ts';
import type { Audit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { isToGo, type Limit } from './limits.ts';
import type { Gone } from './rows.ts';

/** Of the audit log go whole segments, the oldest first; what they ended with stays, so that the rest still hangs together. */

export interface Retention {
  /** Gives up what is over the limit, or only counts it. `now`: ms since the epoch. */
  drop(limit: Limit, now: number, dryRun: boolean): Gone;
  /** Removes some rows of what was given up. True when there are none left. Inside a transaction. */
  step(): boolean;
}

const ROWS_A_STEP = 200;
/** About; the table is not read for it. */
const ROW_BYTES = 500;

export function createRetention(db: DatabaseSync, audit: Audit): Retention {
  const sealed = db.prepare(
    `SELECT segment, last_seq, last_hash, sealed_at, last_seq - first_seq + 1 AS count FROM audit_segments
     WHERE sealed_at IS NOT NULL AND dropped_at IS NULL ORDER BY segment`,
  );
  const giveUp = db.prepare('UPDATE audit_segments SET dropped_at = ? WHERE segment = ?');
  const remove = db.prepare(
    `DELETE FROM audit_log WHERE seq IN (SELECT seq FROM audit_log
       WHERE seq <= (SELECT max(last_seq) FROM audit_segments WHERE dropped_at IS NOT NULL) ORDER BY seq LIMIT ${ROWS_A_STEP})`,
  );
  return {
    drop(limit, now, dryRun) {
      const all = sealed.all().map((row) => ({ row, count: Number(row.count) }));
      let left = all.reduce((sum, { count }) => sum + count, 0);
      const stays = all.findIndex(({ row, count }) => {
        const goes = isToGo(limit, now - Date.parse(String(row.sealed_at)), left * ROW_BYTES);
        if (goes) left -= count;
        return !goes;
      });
      const going = stays === -1 ? all : all.slice(0, stays);
      const last = going.at(-1)?.row;
      const count = going.reduce((sum, one) => sum + one.count, 0);
      const gone = { kind: 'audit', count, bytes: count * ROW_BYTES } as const;
      if (!last || dryRun) return gone;
      // One entry for all that was ever given up: those before it may go with their segments.
      const detail = { lastSeq: last.last_seq, lastHash: last.last_hash };
      transaction(db, () => {
        for (const { row } of going) giveUp.run(isoTime(now), Number(row.segment));
        audit.record({ actor: 'host', action: SEGMENT_DROPPED, subject: String(last.segment), detail }, now);
      });
      return gone;
    },
    step: () => remove.run().changes === 0,
  };
}
