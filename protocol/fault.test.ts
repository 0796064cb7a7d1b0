import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFaultPoint } from './fault.ts';

test('a fault fires at its point, at its turn, once', () => {
  const ended: string[] = [];
  const point = createFaultPoint('b@2', () => ended.push('b'));
  for (const name of ['a', 'b', 'a']) point(name);
  assert.deepEqual(ended, []);
  for (const name of ['b', 'b', 'b']) point(name);
  assert.deepEqual(ended, ['b']);
});

test('without a setting nothing is armed', () => {
  const point = createFaultPoint(undefined, () => assert.fail());
  point('a');
});
