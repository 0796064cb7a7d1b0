import type { DatabaseSync } from 'node:sqlite';
import { readHead } from '../../admin/audit/anchor.ts';
import { BACKUP_RESTORED } from '../../src/audit/chain.ts';
import { readRows, readSegments, withLog } from './read.ts';
import { createVerifier, type Finding } from './verify.ts';

export interface Verification {
  /** That were looked at. */
  rows: number;
  ms: number;
  /** What retention has dropped. */
  gone: { segment: number; firstSeq: number; lastSeq: number | null; droppedAt: string }[];
  /** The log went on where a backup's had ended: `of` is when that was made. */
  restored: { seq: number; at: string; of: string }[];
  /** The first thing that is wrong. */
  problem?: Finding;
}

/** Reads the log from its beginning, beside a running host or without one. Throws as `withLog`. */
export function verifyLog(file: string, headFile: string): Verification {
  const begun = performance.now();
  // Before the rows: what is recorded from now on can't make it look ahead of them.
  const head = readHead(headFile);
  return withLog(file, (db) => {
    const segments = readSegments(db);
    const verifier = createVerifier(segments, head);
    const restored: Verification['restored'] = [];
    let rows = 0;
    let problem: Finding | undefined;
    try {
      for (const row of readRows(db)) {
        problem = verifier.next(row);
        if (problem) break;
        rows += 1;
        if (row.action === BACKUP_RESTORED) restored.push({ seq: row.seq, at: row.at, of: row.subject });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problem = { seq: rows + 1, kind: 'order', sentence: 'A row has a number that no row can have.' };
    }
    problem ??= verifier.end() ?? guardProblem(db, rows);
    const gone = segments.flatMap(({ segment, firstSeq, lastSeq, droppedAt }) =>
      droppedAt === null ? [] : { segment, firstSeq, lastSeq, droppedAt },
    );
    return { rows, ms: Math.round(performance.now() - begun), gone, restored, ...(problem && { problem }) };
  });
}

const GUARDS = ['audit_no_update', 'audit_no_delete'];

function guardProblem(db: DatabaseSync, rows: number): Finding | undefined {
  const there = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_log'").all();
  const gone = GUARDS.find((guard) => !there.some(({ name }) => name === guard));
  if (gone === undefined) return undefined;
  const sentence = `Every row is as it was written, but the trigger ${gone}, which keeps them so, was removed.`;
  return { seq: rows, kind: 'guard', sentence };
}
