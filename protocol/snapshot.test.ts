import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { takeSnapshot } from './snapshot.ts';
import { insertMessage, numberOf, openOutbound, testFolder } from './test/outbound.ts';
import { startWriter } from './test/process.ts';

const folder = testFolder();
const MAX = 1024 * 1024;

test('reads under a writer at full speed: never a torn one', async (t) => {
  const file = join(folder, 'load.db');
  const writer = startWriter('rewrite', file, 'w', 1_000_000);
  const count = { ok: 0, busy: 0, absent: 0 };
  let turns = 0;
  const deadline = Date.now() + 30_000;
  while ((count.ok < 300 || turns < 300) && Date.now() < deadline) {
    const found = takeSnapshot(file, MAX);
    assert.notEqual(found.status, 'hostile');
    if (found.status !== 'hostile') count[found.status]++;
    if (found.status !== 'ok') continue;
    const turn = checkTurn(found.bytes);
    assert.ok(turn >= turns, 'time runs forward');
    turns = turn;
    // The writer's exit would be seen here.
    if (count.ok % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  writer.child.kill('SIGKILL');
  assert.equal(await writer.ended, 'SIGKILL');
  t.diagnostic?.(`${count.ok} whole, ${count.busy} busy, 0 torn, over ${turns} commits`);
  assert.ok(count.ok >= 300 && turns >= 300, 'enough of both in time');
});

/** Everything in the copy is of one and the same commit. Returns which. */
function checkTurn(bytes: Buffer): number {
  const db = new DatabaseSync(':memory:');
  db.deserialize(bytes);
  assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
  if (numberOf(db, 'SELECT count(*) FROM session_state') === 0) return 0;
  const turn = numberOf(db, "SELECT value FROM session_state WHERE key = 'turn'");
  const rows = db.prepare('SELECT seq, content FROM messages_out ORDER BY seq').all();
  db.close();
  assert.deepEqual(
    rows.map((row) => [row.seq, String(row.content).length]),
    Array.from({ length: 100 }, (_, row) => [turn * 200 + row * 2 + 1, (turn % 997) + '{"text":""}'.length]),
  );
  return turn;
}

test('a writer killed in mid-commit: busy until its own side opens the file, and nothing of it remains', async () => {
  const file = join(folder, 'killed.db');
  assert.equal(await startWriter('die', file, 'w', 0).ended, 'SIGKILL');
  assert.ok(existsSync(`${file}-journal`));
  assert.equal(takeSnapshot(file, MAX).status, 'busy');
  const db = openOutbound(file);
  assert.equal(numberOf(db, "SELECT count(*) FROM messages_out WHERE content LIKE '%never%'"), 0);
  assert.equal(numberOf(db, 'SELECT count(*) FROM messages_out'), 500);
  db.close();
  assert.equal(existsSync(`${file}-journal`), false);
  assert.equal(takeSnapshot(file, MAX).status, 'ok');
});

test('an open transaction is busy, before and after its pages reach the file', () => {
  const file = join(folder, 'open.db');
  const db = openOutbound(file);
  db.exec('PRAGMA cache_size = 4; BEGIN IMMEDIATE');
  insertMessage(db, 'm1', 1, 'small');
  for (let at = 0; at < 200; at++) insertMessage(db, `n${at}`, 3 + 2 * at, 'x'.repeat(500));
  assert.equal(takeSnapshot(file, MAX).status, 'busy');
  db.exec('ROLLBACK');
  assert.equal(takeSnapshot(file, MAX).status, 'ok');
  db.close();
});

test('reading again gives the same, and no file gives absent', () => {
  const file = join(folder, 'same.db');
  assert.deepEqual(takeSnapshot(file, MAX), { status: 'absent' });
  const db = openOutbound(file);
  insertMessage(db, 'm1', 1, 'hello');
  const [one, other] = [takeSnapshot(file, MAX), takeSnapshot(file, MAX)];
  assert.ok(one.status === 'ok' && other.status === 'ok' && one.bytes.equals(other.bytes));
  db.close();
});
