import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uidOnHost } from './declaration.ts';

test('an id inside is what the map makes of it outside', () => {
  assert.equal(uidOnHost(['Uid:2042', 'uidmap:0 0 4294967295']), 2042);
  assert.equal(uidOnHost(['Uid:0', 'uidmap:0 1000 1', 'uidmap:1 100000 65536']), 1000);
  assert.equal(uidOnHost(['Uid:7', 'uidmap:0 1000 1', 'uidmap:1 100000 65536']), 100_006);
  assert.equal(uidOnHost(['Uid:7', 'uidmap:0 1000 1']), null);
  assert.equal(uidOnHost([]), null);
});
