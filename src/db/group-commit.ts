import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import { isBusy } from './connection.ts';

/**
 * Runs pieces of work in shared transactions. A commit with `synchronous=FULL` costs the same for one piece and for a
 * hundred, so what arrives while others wait is committed together. A piece that throws is undone alone.
 */
export interface GroupCommit {
  /** Resolves with the result of `work` after it is durable; rejects with what it threw, or with the commit's error. */
  run<T>(work: () => T): Promise<T>;
  /** Commits what is waiting, at once. */
  flush(): void;
}

const BUSY_PATIENCE_MS = 10_000;
const BUSY_RETRY_MS = 50;

interface Piece {
  work: () => void;
  done: () => void;
  fail: (error: unknown) => void;
}

export function createGroupCommit(db: DatabaseSync): GroupCommit {
  let waiting: Piece[] = [];
  let scheduled = false;
  let busySince: number | undefined;

  /** Another program writes: waited for without holding up the event loop. False when it takes too long. */
  function tryLater(pieces: Piece[]): boolean {
    busySince ??= performance.now();
    if (performance.now() - busySince > BUSY_PATIENCE_MS) {
      busySince = undefined;
      return false;
    }
    waiting = [...pieces, ...waiting];
    scheduled = true;
    setTimeout(flush, BUSY_RETRY_MS);
    return true;
  }

  function flush(): void {
    scheduled = false;
    const pieces = waiting;
    waiting = [];
    if (pieces.length === 0) return;
    const settle: (() => void)[] = [];
    try {
      db.exec('BEGIN IMMEDIATE');
      for (const piece of pieces) settle.push(apart(db, piece));
      faultPoint('accept.committing');
      db.exec('COMMIT');
      faultPoint('accept.committed');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      if (isBusy(error) && tryLater(pieces)) return;
      for (const piece of pieces) piece.fail(error);
      return;
    }
    busySince = undefined;
    for (const tell of settle) tell();
  }

  return {
    run<T>(work: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let result: T;
        waiting.push({
          work: () => {
            result = work();
          },
          done: () => resolve(result),
          fail: reject,
        });
        if (scheduled) return;
        scheduled = true;
        setImmediate(flush);
      });
    },
    flush,
  };
}

/** One piece in a savepoint. Returns how its caller is to be told once the transaction stands. */
function apart(db: DatabaseSync, piece: Piece): () => void {
  db.exec('SAVEPOINT piece');
  try {
    piece.work();
    db.exec('RELEASE piece');
    return piece.done;
  } catch (error) {
    db.exec('ROLLBACK TO piece; RELEASE piece');
    return () => piece.fail(error);
  }
}

/** One transaction at once, for work that can't wait for others. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * The same without waiting for the disk: it survives the process, not a power cut, until the next durable commit. For
 * notes whose loss changes nothing that is done after a start.
 */
export function quickTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}
