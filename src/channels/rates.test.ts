import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRates } from './rates.ts';

const RATE = { count: 3, perMs: 300 };

test('as many at once as a rate allows, then one after the other, each chat for itself', () => {
  const rates = createRates();
  assert.deepEqual(
    [0, 0, 0, 0, 0].map((now) => rates.take('a', RATE, now)),
    [0, 0, 0, 100, 200],
  );
  assert.equal(rates.take('b', RATE, 0), 0);
});

test('there is room where a place is left for somebody else', () => {
  const rates = createRates();
  const room: boolean[] = [];
  for (let taken = 0; taken < 3; taken += 1) {
    room.push(rates.hasRoom('a', RATE, 0));
    rates.take('a', RATE, 0);
  }
  assert.deepEqual(room, [true, true, false]);
  assert.equal(rates.hasRoom('a', RATE, 150), false);
  assert.equal(rates.hasRoom('a', RATE, 200), true);
});

test('what has asked to be left alone is held, for the longest time that it asked for', () => {
  const rates = createRates();
  rates.hold('a', 100);
  rates.hold('a', 50);
  assert.deepEqual([rates.held('a', 40), rates.held('b', 40), rates.held('a', 100)], [60, 0, 0]);
});
