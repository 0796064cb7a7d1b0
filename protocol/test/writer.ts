/** A writer process of the contract tests: `writer.ts <mode> <outbound.db> <name> <count> [highest inbound seq]`. */
import type { DatabaseSync } from 'node:sqlite';
import { nextRunnerSeq } from '../sequence.ts';
import { isoTime } from '../time.ts';
import { insertMessage, numberOf, openOutbound } from './outbound.ts';

const [mode, file = '', name = '', count = '0', highestIn = '0'] = process.argv.slice(2);

/** One turn: a row with the next number. */
function append(db: DatabaseSync, at: number): void {
  db.exec('BEGIN IMMEDIATE');
  const seq = nextRunnerSeq(Number(highestIn), numberOf(db, 'SELECT coalesce(max(seq), 0) FROM messages_out'));
  insertMessage(db, `${name}-${at}`, seq, name);
  db.exec('COMMIT');
}

/** Each commit touches many pages, and every row of it can be told from the rows of another. */
function rewrite(db: DatabaseSync, at: number): void {
  db.exec('BEGIN IMMEDIATE');
  db.exec('DELETE FROM messages_out');
  for (let row = 0; row < 100; row++) insertMessage(db, `m-${row}`, at * 200 + row * 2 + 1, 'x'.repeat(at % 997));
  db.prepare('INSERT OR REPLACE INTO session_state (key, value, updated_at) VALUES (?, ?, ?)').run(
    'turn',
    String(at),
    isoTime(Date.now()),
  );
  db.exec('COMMIT');
}

/** A cache of four pages spills into the file in mid-transaction, under a journal that is synced by then. */
function dieInMidCommit(db: DatabaseSync): void {
  for (let row = 0; row < 500; row++) insertMessage(db, `m-${row}`, row * 2 + 1, 'committed'.repeat(50));
  db.exec('PRAGMA cache_size = 4');
  db.exec('BEGIN IMMEDIATE');
  db.exec("UPDATE messages_out SET content = replace(content, 'committed', 'never')");
  process.kill(process.pid, 'SIGKILL');
}

const db = openOutbound(file);
if (mode === 'append') for (let at = 0; at < Number(count); at++) append(db, at);
// Without waiting for the disk nearly all of its time goes into changing pages, where a torn read could happen.
if (mode === 'rewrite') db.exec('PRAGMA synchronous = OFF');
if (mode === 'rewrite') for (let at = 1; at <= Number(count); at++) rewrite(db, at);
if (mode === 'die') dieInMidCommit(db);
db.close();
