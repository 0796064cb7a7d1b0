import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SUBNETS, subnetAt } from './subnets.ts';

test('no two of them overlap, and all lie in the one block', () => {
  const all = Array.from({ length: SUBNETS }, (_, index) => subnetAt(index));
  assert.equal(new Set(all.map(({ subnet }) => subnet)).size, SUBNETS);
  assert.deepEqual(all[0], { subnet: '198.19.0.0/29', bridge: '198.19.0.2', sandbox: '198.19.0.3' });
  assert.deepEqual(all.at(-1), { subnet: '198.19.255.248/29', bridge: '198.19.255.250', sandbox: '198.19.255.251' });
  assert.deepEqual(subnetAt(SUBNETS), subnetAt(0));
});
