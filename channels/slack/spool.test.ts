import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testContext } from '../telegram/testing.ts';
import { createSpool } from './spool.ts';

test('events stay in the order of their coming until they are dropped, and for this user alone', async () => {
  const { folder, log } = testContext({}, 'slack');
  const spool = createSpool(join(folder, 'events'), log);
  const names: string[] = [];
  for (let number = 0; number < 12; number++) names.push(await spool.put({ number }));
  assert.equal(statSync(join(folder, 'events', names[0] ?? '')).mode & 0o777, 0o600);
  await spool.drop(names[0] ?? '');
  await spool.drop(names[0] ?? '');
  const left = await createSpool(join(folder, 'events'), log).left();
  assert.deepEqual(
    left.map(({ payload }) => payload),
    Array.from({ length: 11 }, (_, index) => ({ number: index + 1 })),
  );
  assert.ok(left.every(({ at }) => Math.abs(at - Date.now()) < 60_000));
});

test('one that a crash has torn is put away, and what is not ours is left alone', async () => {
  const { folder, log } = testContext({}, 'slack');
  const events = join(folder, 'events');
  const spool = createSpool(events, log);
  const whole = await spool.put({ is: 'whole' });
  writeFileSync(join(events, '000000000000001-1-1.json'), '{"type":"event_cal');
  writeFileSync(join(events, 'notes.txt'), 'mine');
  assert.deepEqual(
    (await spool.left()).map(({ name }) => name),
    [whole],
  );
  assert.deepEqual(readdirSync(events).sort(), [whole, 'notes.txt'].sort());
});
