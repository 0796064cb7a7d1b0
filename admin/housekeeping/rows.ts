import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { quickTransaction } from '../../src/db/group-commit.ts';
import { isToGo, type Kind, type Limits } from './limits.ts';

/**
 * Rows go in the order in which they came, by rowid: no index is needed, and the walk ends soon after the first that stay,
 * whatever the size of the table. Each step holds the event loop for a few milliseconds, then others have their turn.
 */

const STEP_MS = 3;
const PAUSE_MS = 10;
/** The clock may have been wrong for a while: some that seem newer may stand before older ones. */
const NEWER_IN_A_ROW = 1_000;

interface Table {
  kind: Kind;
  name: string;
  /** SQL over `t`, the row; NULL for what is not settled and stays. */
  at: string;
  bytes?: string;
  join?: string;
  /** The times of its rows have no order: it is walked to its end. */
  unordered?: boolean;
}

const TABLES: readonly Table[] = [
  {
    kind: 'messages',
    name: 'messages',
    join: 'LEFT JOIN deliveries d ON d.message_id = t.id',
    at: `CASE WHEN t.direction = 'in' AND t.status NOT IN ('completed', 'failed') THEN NULL
      WHEN d.status IN ('queued', 'sending') THEN NULL ELSE coalesce(d.updated_at, t.settled_at, t.created_at) END`,
    bytes: 'octet_length(t.content)',
  },
  {
    kind: 'messages',
    name: 'approvals',
    at: "CASE WHEN t.status IN ('pending', 'naming') THEN NULL ELSE t.decided_at END",
    unordered: true,
  },
  { kind: 'messages', name: 'questions', at: 't.ended_at', unordered: true },
  {
    kind: 'messages',
    name: 'tasks',
    at: "CASE WHEN t.status IN ('done', 'cancelled') THEN t.updated_at END",
    unordered: true,
  },
  // By when it was said, which may be long before it came here.
  { kind: 'messages', name: 'backlog', at: 't.timestamp', bytes: 'octet_length(t.content)', unordered: true },
  { kind: 'usage', name: 'usage', at: 't.at' },
  { kind: 'counters', name: 'egress_counters', at: 't.last_at' },
  { kind: 'counters', name: 'engagements', at: 't.last_at', unordered: true },
  { kind: 'counters', name: 'dropped_messages', at: 't.last_seen', unordered: true },
];

export interface Gone {
  kind: Kind;
  count: number;
  bytes: number;
}

/** Removes what is over the limits, or only counts it. `now`: ms since the epoch. Throws when `signal` is aborted. */
export async function tidyRows(
  db: DatabaseSync,
  limits: Limits,
  now: number,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<Gone[]> {
  const all: Gone[] = [];
  for (const table of TABLES) {
    const gone = { kind: table.kind, count: 0, bytes: 0 };
    await inSteps(db, createStep(db, table, limits, now, dryRun, gone), signal);
    all.push(gone);
  }
  return all;
}

/** Until `step`, which works for a few milliseconds in a transaction, says that nothing is left. */
export async function inSteps(db: DatabaseSync, step: () => boolean, signal: AbortSignal): Promise<void> {
  while (!inSmallCommit(db, step)) {
    await pause(PAUSE_MS);
    signal.throwIfAborted();
  }
}

/** What goes is all over the file: a checkpoint of the usual size would hold the event loop for 90 ms, this one for 25. */
function inSmallCommit(db: DatabaseSync, step: () => boolean): boolean {
  db.exec('PRAGMA wal_autocheckpoint = 200');
  try {
    return quickTransaction(db, step);
  } finally {
    db.exec('PRAGMA wal_autocheckpoint = 1000');
  }
}

/** True when there is nothing left to look at. */
function createStep(db: DatabaseSync, table: Table, limits: Limits, now: number, dryRun: boolean, gone: Gone) {
  const { kind, name, at, bytes = '0', join = '' } = table;
  const used = db.prepare(
    'SELECT (page_count - freelist_count) * page_size AS n FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
  );
  const next = db.prepare(
    `SELECT t.rowid AS row, ${at} AS at, ${bytes} AS bytes FROM ${name} t ${join} WHERE t.rowid > ? ORDER BY t.rowid LIMIT 1`,
  );
  const drops = [
    ...(join === '' ? [] : ['DELETE FROM deliveries WHERE message_id = (SELECT id FROM messages WHERE rowid = ?)']),
    `DELETE FROM ${name} WHERE rowid = ?`,
  ].map((sql) => db.prepare(sql));
  let row = 0;
  let newer = 0;
  return (): boolean => {
    const end = performance.now() + STEP_MS;
    const total = Number(used.get()?.n) + (dryRun ? 0 : gone.bytes);
    while (performance.now() < end) {
      const found = next.get(row);
      if (!found || newer >= NEWER_IN_A_ROW) return true;
      row = Number(found.row);
      if (found.at === null) continue;
      if (!isToGo(limits[kind], now - Date.parse(String(found.at)), total - gone.bytes)) {
        newer += table.unordered ? 0 : 1;
        continue;
      }
      newer = 0;
      if (!dryRun) for (const drop of drops) drop.run(row);
      gone.count += 1;
      gone.bytes += Number(found.bytes);
    }
    return false;
  };
}
