import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NanoError } from '../errors.ts';
import { parseUidMap, readUidMap, sandboxUid } from './uid.ts';

const FULL = parseUidMap('         0          0 4294967295\n');
const LXC = parseUidMap('         0     100000      65536\n');

test('a full map gives a high uid, below the sign bit and above what container engines take', () => {
  for (const slug of ['a', 'b', 'nanoclaw-1f2e', 'zzz']) {
    for (const ordinal of [0, 1, 500]) {
      const uid = sandboxUid(slug, ordinal, FULL);
      assert.ok(uid > 0x6fff_ffff && uid < 0x7ffe_0000, `${slug}/${ordinal}: ${uid}`);
    }
  }
});

test('a short map gives a uid that exists in it, above ordinary users', () => {
  const uid = sandboxUid('slug', 7, LXC);
  assert.ok(uid >= 20_000 && uid < 60_000, String(uid));
});

test('the same slug and ordinal give the same uid, other ordinals and slugs others', () => {
  assert.equal(sandboxUid('s', 3, FULL), sandboxUid('s', 3, FULL));
  assert.notEqual(sandboxUid('s', 3, FULL), sandboxUid('s', 4, FULL));
  assert.notEqual(sandboxUid('s', 3, FULL), sandboxUid('t', 3, FULL));
});

test('a map without room is said, not worked around', () => {
  const alone = parseUidMap('0 1000 1\n');
  assert.throws(
    () => sandboxUid('s', 0, alone),
    (error) => error instanceof NanoError && error.code === 'NC_SANDBOX_UNUSABLE',
  );
  assert.throws(() => sandboxUid('s', 20_000, LXC), NanoError);
  assert.throws(() => sandboxUid('s', -1, FULL), NanoError);
});

test("this process's own map can be read", () => {
  assert.ok(readUidMap().length > 0);
});
