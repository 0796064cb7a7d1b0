import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBuckets } from './buckets.ts';

test('a burst passes, then so many a second, each key by itself', () => {
  let now = 0;
  const buckets = createBuckets({ perSecond: 2, burst: 3 }, 10, () => now);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 1],
  );
  assert.equal(buckets.take('b'), 0);
  now = 500;
  assert.deepEqual([buckets.take('a'), buckets.take('a')], [0, 1]);
  now = 3_600_000;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 1],
  );
});

test('the quietest key is forgotten when there are too many', () => {
  const buckets = createBuckets({ perSecond: 0.001, burst: 1 }, 2, () => 0);
  assert.equal(buckets.take('a'), 0);
  assert.equal(buckets.take('b'), 0);
  assert.notEqual(buckets.take('a'), 0);
  assert.equal(buckets.take('c'), 0);
  assert.notEqual(buckets.take('a'), 0);
  assert.equal(buckets.take('b'), 0);
});
