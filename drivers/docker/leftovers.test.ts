import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LABEL } from './body.ts';
import { adopted, host, isLeftover } from './leftovers.ts';

test('a leftover is of another process, not taken over, and no trial that may still run', () => {
  const now = 1_000_000_000;
  adopted.add('taken');
  const left = (session: string, ageMs: number, by = 'another', id = 'id') =>
    isLeftover({ id, labels: { [LABEL.host]: by, [LABEL.session]: session }, createdMs: now - ageMs }, now);
  assert.equal(left('s1', 0), true);
  assert.equal(left('s1', 0, host), false);
  assert.equal(left('s1', 0, 'another', 'taken'), false);
  assert.equal(left('trial', 10_000), false);
  assert.equal(left('trial', 6 * 60_000), true);
});
