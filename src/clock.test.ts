import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { createInstall } from '../test/support/central.ts';
import { createClockWatch, endLongWaits, shiftWaits } from './clock.ts';

test('a clock that goes on is no jump; one that is set is told once, by how far', () => {
  let wall = 1_000_000;
  let mono = 0;
  const clock = createClockWatch(
    () => wall,
    () => mono,
  );
  const pass = (ms: number, set = 0) => {
    mono += ms;
    wall += ms + set;
    return clock.look();
  };
  assert.equal(pass(1_000), 0);
  assert.equal(pass(3_600_000), 0, 'a slow pass is no jump');
  assert.equal(pass(1_000, 3_600_000), 3_600_000);
  assert.equal(pass(1_000), 0);
  assert.equal(pass(1_000, -3_600_000), -3_600_000);
  assert.equal(pass(1_000, 400), 0, 'small corrections are none');
});

const HOUR = 3_600_000;
const waits: [what: string, jump: number, dueIn: number, writtenBefore: boolean, moves: boolean][] = [
  ['put off before it went forwards', HOUR, 8_000, true, true],
  ['put off after it went forwards', HOUR, 8_000, false, false],
  ['due before it went forwards, not taken yet', HOUR, -900, true, true],
  ['put off before it went back', -HOUR, 8_000, true, true],
  ['put off after it went back', -HOUR, 8_000, false, false],
  ['due before it went back, not taken yet', -HOUR, -900, true, true],
  ['due long before it went back, its turn runs', -HOUR, -1_200_000, true, true],
  ['due before a small step back, its turn runs', -600_000, -60_000, true, true],
];
for (const [what, jump, dueIn, writtenBefore, moves] of waits) {
  test(`${what}: it ${moves ? 'moves' : 'stays'}`, () => {
    using install = createInstall();
    const session = install.newSession();
    const before = Date.now();
    const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
    const rest = { kind: 'chat' as const, timestamp: isoTime(before), trigger: true, content: { text: 'x' } };
    install.messages.addInbound({ ...origin, ...rest, id: 'm', sessionId: session.id }, before);
    install.messages.retry(session.id, 'm', (writtenBefore ? before : before + jump) + dueIn);
    assert.deepEqual(shiftWaits(install.db, jump, before + jump), moves ? [session.id] : []);
    const { processAfter } = install.messages.openById(session.id, 'm') ?? {};
    assert.equal(processAfter, isoTime(before + jump + dueIn), 'either way it waits for as long as was meant');
  });
}

test('retries move with the clock, other times stay', () => {
  using install = createInstall();
  const { db, messages } = install;
  const session = install.newSession();
  const at = Date.parse('2026-11-21T10:00:20.500Z');
  const add = (id: string) =>
    messages.addInbound(
      {
        id,
        sessionId: session.id,
        kind: 'chat',
        timestamp: isoTime(at),
        trigger: true,
        content: { text: 'x' },
        channel_type: 'terminal',
        platform_id: 'local',
        thread_id: null,
      },
      at,
    );
  add('retried');
  add('fresh');
  messages.retry(session.id, 'retried', at);
  assert.deepEqual(shiftWaits(db, -3_600_000, at - 3_610_000), [session.id]);
  const after = new Map(messages.open(session.id).map(({ id, processAfter }) => [id, processAfter]));
  assert.equal(after.get('retried'), '2026-11-21T09:00:20.500Z');
  assert.equal(after.get('fresh'), null);
  assert.deepEqual(shiftWaits(db, 3_600_000 * 30, at + 3_600_000 * 29), [session.id]);
  assert.equal(messages.openById(session.id, 'retried')?.processAfter, '2026-11-22T15:00:20.500Z');
});

test('a start ends waits that a clock once set wrong would have made endless', () => {
  using install = createInstall();
  const { db, messages } = install;
  const session = install.newSession();
  const now = Date.parse('2026-11-21T10:00:00.000Z');
  for (const id of ['far', 'near']) {
    messages.addInbound(
      {
        id,
        sessionId: session.id,
        kind: 'chat',
        timestamp: isoTime(now),
        trigger: true,
        content: { text: 'x' },
        channel_type: 'terminal',
        platform_id: 'local',
        thread_id: null,
      },
      now,
    );
  }
  messages.retry(session.id, 'far', now + 365 * 86_400_000);
  messages.retry(session.id, 'near', now + 20_000);
  endLongWaits(db, now);
  assert.equal(messages.openById(session.id, 'far')?.processAfter, isoTime(now));
  assert.equal(messages.openById(session.id, 'near')?.processAfter, isoTime(now + 20_000));
});
