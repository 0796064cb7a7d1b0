import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom } from '../../faults/random.ts';
import { startHost, type TestHost } from '../../support/host-process.ts';
import { installWith } from './install.ts';
import type { Lane } from './lane.ts';
import { openLanes } from './lanes.ts';
import { type Books, compare, type Written } from './ledger.ts';

/** Six platforms at once on one real host, in an order made from a seed, with repeats, lines that break and refusals. */

export interface RunOptions {
  seed: number;
  /** To each channel. */
  messages: number;
  /** How long nothing may happen before it counts as stuck. */
  stuckMs?: number;
  /** At the end, with the books that were compared. */
  look?(db: DatabaseSync, written: readonly Written[]): Promise<void>;
}

export interface Outcome extends Books {
  seconds: number;
  disturbances: number;
  /** That were sent again. */
  again: number;
}

/** So many wait at once; more is what a person would not write. */
const UNDERWAY = 120;

export async function runSix({ seed, messages, stuckMs = 60_000, look }: RunOptions): Promise<Outcome> {
  const begun = performance.now();
  const lanes = await openLanes();
  const home = installWith(lanes);
  let host: TestHost | undefined;
  try {
    const env = Object.assign({}, ...lanes.map(({ account }) => account.env ?? {}));
    host = await startHost({ home, env, environment: { NANOCLAW_RETRY_MS: '1' } });
    for (const lane of lanes) await lane.ready?.(home);
    using db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 5000 });
    const sent = await sendAll(db, lanes, seed, messages, stuckMs);
    await quiet(db, sent.written.length, stuckMs);
    const books = await compare(db, sent.written);
    await look?.(db, sent.written);
    return { ...sent, ...books, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await host?.end();
    for (const lane of lanes) await lane[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  }
}

async function sendAll(db: DatabaseSync, lanes: readonly Lane[], seed: number, messages: number, stuckMs: number) {
  const random = createRandom(seed);
  const order = shuffled(
    lanes.flatMap((lane) => Array.from({ length: messages }, () => lane)),
    (end) => random.below(end),
  );
  const written: Written[] = [];
  let disturbances = 0;
  let again = 0;
  for (const [index, lane] of order.entries()) {
    const place = lane.places[random.below(lane.places.length)];
    if (!place) throw new Error('There is no place to write in.');
    // What fails eight times is given up, as it should be.
    if (random.chance(0.05) && waiting(db, lane, 'd.attempts >= 3') === 0) {
      lane.disturb(random, waiting(db, lane, 'd.unknowns > 0') === 0);
      disturbances += 1;
    }
    const marker = `m${index}e`;
    // The demo provider names the file that it does not find.
    written.push({ lane, place, marker, id: await lane.send(place, `read ${marker}`) });
    const earlier = written[random.below(written.length)];
    if (earlier && random.chance(0.05)) {
      await earlier.lane.repeat(earlier.place, earlier.id);
      again += 1;
    }
    await moving(db, () => answered(db) >= written.length - UNDERWAY, stuckMs);
  }
  return { written, disturbances, again };
}

/** Everything came in, everything went out. */
async function quiet(db: DatabaseSync, count: number, stuckMs: number): Promise<void> {
  await moving(db, () => answered(db) >= count && open(db) === 0, stuckMs);
}

/** Waits for as long as it goes on. */
async function moving(db: DatabaseSync, isDone: () => boolean, stuckMs: number): Promise<void> {
  let seen = '';
  let since = performance.now();
  while (!isDone()) {
    const now = `${answered(db)} ${open(db)}`;
    if (now !== seen) [seen, since] = [now, performance.now()];
    if (performance.now() - since > stuckMs) throw new Error(`It stands still: ${now} (answered, open).`);
    await pause(10);
  }
}

function answered(db: DatabaseSync): number {
  return count(db, "SELECT count(*) AS n FROM messages WHERE direction = 'in' AND outcome IS NOT NULL");
}

function open(db: DatabaseSync): number {
  return count(db, "SELECT count(*) AS n FROM deliveries WHERE status IN ('queued', 'sending')");
}

/** What is still to be said on a platform, and is in that state. */
function waiting(db: DatabaseSync, { account }: Lane, state: string): number {
  return count(
    db,
    `SELECT count(*) AS n FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE ${state} AND d.status IN ('queued', 'sending') AND m.channel_type = ?`,
    account.instance,
  );
}

function count(db: DatabaseSync, sql: string, ...values: string[]): number {
  return Number(db.prepare(sql).get(...values)?.n);
}

/** Fisher and Yates. */
function shuffled<T>(of: readonly T[], below: (end: number) => number): T[] {
  const all = [...of];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = below(last + 1);
    const [one, two] = [all[last], all[other]];
    if (one !== undefined && two !== undefined) [all[last], all[other]] = [two, one];
  }
  return all;
}
