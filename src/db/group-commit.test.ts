import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createGroupCommit } from './group-commit.ts';

function open(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  return db;
}

test('what comes in one turn of the event loop is one transaction', async () => {
  const db = open();
  const commit = createGroupCommit(db);
  let begun = 0;
  db.setAuthorizer((action, detail) => {
    // 22 is SQLITE_TRANSACTION.
    if (action === 22 && detail === 'BEGIN') begun += 1;
    return 0;
  });
  const insert = db.prepare('INSERT INTO t (a) VALUES (?)');
  const results = await Promise.all([1, 2, 3].map((a) => commit.run(() => Number(insert.run(a).lastInsertRowid))));
  assert.deepEqual(results, [1, 2, 3]);
  assert.equal(begun, 1);
});

test('a piece that throws is undone alone, and only its caller is told', async () => {
  const db = open();
  const commit = createGroupCommit(db);
  const insert = db.prepare('INSERT INTO t (a) VALUES (?)');
  const results = await Promise.allSettled([
    commit.run(() => insert.run(1)),
    commit.run(() => {
      insert.run(2);
      throw new Error('no');
    }),
    commit.run(() => insert.run(3)),
  ]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    db
      .prepare('SELECT a FROM t ORDER BY a')
      .all()
      .map((row) => row.a),
    [1, 3],
  );
});

test('a commit that fails is told to everyone in it, and the next one works', async () => {
  const db = open();
  db.exec('PRAGMA foreign_keys = ON; CREATE TABLE child (t INTEGER REFERENCES t(a) DEFERRABLE INITIALLY DEFERRED)');
  const commit = createGroupCommit(db);
  const results = await Promise.allSettled([
    commit.run(() => db.exec('INSERT INTO t VALUES (1)')),
    commit.run(() => db.exec('INSERT INTO child VALUES (99)')),
  ]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'rejected'],
  );
  await commit.run(() => db.exec('INSERT INTO t VALUES (5)'));
  assert.deepEqual(
    db
      .prepare('SELECT a FROM t')
      .all()
      .map((row) => row.a),
    [5],
  );
});

test('while another program writes, pieces wait and the event loop goes on; then they stand', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-busy-'));
  const file = join(folder, 'a.db');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 10; CREATE TABLE t (a INTEGER PRIMARY KEY)');
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const insert = db.prepare('INSERT INTO t (a) VALUES (?)');
  const commit = createGroupCommit(db);
  const done: number[] = [];
  const waiting = [1, 2].map((a) => commit.run(() => insert.run(a)).then(() => done.push(a)));
  let turns = 0;
  while (turns < 20) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    turns += 1;
  }
  assert.deepEqual(done, []);
  other.exec('ROLLBACK');
  await Promise.all(waiting);
  assert.deepEqual(done, [1, 2]);
  db.close();
  other.close();
  rmSync(folder, { recursive: true });
});
