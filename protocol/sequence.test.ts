import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextHostSeq, nextRunnerSeq } from './sequence.ts';
import { insertMessage, numberOf, openOutbound, testFolder } from './test/outbound.ts';
import { startWriter } from './test/process.ts';

const folder = testFolder();
const seq = fc.integer({ min: 0, max: 2 ** 40 });

test('the host takes the next even number above its own highest', () => {
  assert.deepEqual([0, 1, 2, 3, 4].map(nextHostSeq), [2, 2, 4, 4, 6]);
  fc.assert(
    fc.property(seq, (highest) => {
      const next = nextHostSeq(highest);
      assert.equal(next % 2, 0);
      assert.ok(next > highest && next <= highest + 2);
    }),
  );
});

test('the runner takes the next odd number above both sides', () => {
  fc.assert(
    fc.property(seq, seq, (highestIn, highestOut) => {
      const next = nextRunnerSeq(highestIn, highestOut);
      const highest = Math.max(highestIn, highestOut);
      assert.equal(next % 2, 1);
      assert.ok(next > highest && next <= highest + 2);
    }),
  );
});

test('three processes that start on no file at all give every number once', async () => {
  const file = join(folder, 'three.db');
  const writers = ['a', 'b', 'c'].map((name) => startWriter('append', file, name, 60, 40));
  assert.deepEqual(await Promise.all(writers.map((writer) => writer.ended)), [0, 0, 0]);
  const db = openOutbound(file);
  const seqs = db.prepare('SELECT seq FROM messages_out ORDER BY seq').all();
  db.close();
  assert.deepEqual(
    seqs.map((row) => row.seq),
    Array.from({ length: 180 }, (_, at) => 41 + 2 * at),
  );
});

test('a repeat is refused: the same id, and the same number', () => {
  const db = openOutbound(join(folder, 'repeat.db'));
  insertMessage(db, 'm1', 1, 'once');
  assert.throws(() => insertMessage(db, 'm1', 3, 'twice'), /UNIQUE constraint failed: messages_out.id/);
  assert.throws(() => insertMessage(db, 'm2', 1, 'twice'), /UNIQUE constraint failed: messages_out.seq/);
  assert.equal(numberOf(db, 'SELECT count(*) FROM messages_out'), 1);
  db.close();
});
