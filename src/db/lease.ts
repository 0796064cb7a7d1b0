import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { NanoError } from '../errors.ts';
import { processStart } from '../processes.ts';
import { transaction } from './group-commit.ts';

/** For a holder whose process can't be looked at from here (another machine or pid namespace on the same folder). */
const FOREIGN_LEASE_MS = 30_000;

export interface Lease {
  /** Call every 10 s. False: another host has taken this install over, and this one must stop. */
  renew(now: number): boolean;
  release(): void;
  /** True when the host before this one did not end by its own will. */
  readonly afterCrash: boolean;
}

/** Takes this install for this process. Throws NC_HOST_RUNNING while another one holds it. */
export function takeLease(db: DatabaseSync, now: number): Lease {
  const token = randomUUID();
  const self = processStart(process.pid) ?? 'unknown';
  const afterCrash = transaction(db, () => {
    const row = db.prepare('SELECT pid, process_start, renewed_at, released FROM hosts WHERE id = 1').get();
    if (row && !row.released && isAlive(Number(row.pid), String(row.process_start), String(row.renewed_at), now)) {
      throw new NanoError('NC_HOST_RUNNING', `Its process id is ${row.pid}.`);
    }
    db.prepare(
      `INSERT OR REPLACE INTO hosts (id, token, pid, process_start, started_at, renewed_at, released)
       VALUES (1, ?, ?, ?, ?, ?, 0)`,
    ).run(token, process.pid, self, isoTime(now), isoTime(now));
    return row !== undefined && !row.released;
  });
  const renewal = db.prepare('UPDATE hosts SET renewed_at = ? WHERE id = 1 AND token = ?');
  return {
    afterCrash,
    renew: (at) => renewal.run(isoTime(at), token).changes === 1,
    release: () => {
      db.prepare('UPDATE hosts SET released = 1 WHERE id = 1 AND token = ?').run(token);
    },
  };
}

function isAlive(pid: number, start: string, renewedAt: string, now: number): boolean {
  const [bootAndSpace] = start.split('#');
  const here = processStart(process.pid);
  if (here === undefined || bootAndSpace !== here.split('#')[0]) {
    return Math.abs(now - Date.parse(renewedAt)) < FOREIGN_LEASE_MS;
  }
  return processStart(pid) === start;
}
