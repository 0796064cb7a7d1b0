import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isoTime, type MessageInRow } from '@nanoclaw/protocol';
import fc from 'fast-check';
import type { Ack } from '../mailbox/outbound.ts';
import { isOpen, nextBatch, nextDue, nextPushes, openRows } from './select.ts';

const NOW = Date.parse('2026-07-01T10:00:00.000Z');

function row(seq: number, platform: string | null = 'a', fields: Partial<MessageInRow> = {}): MessageInRow {
  return {
    id: `m${seq}`,
    seq,
    kind: 'chat',
    timestamp: isoTime(NOW),
    status: 'pending',
    process_after: null,
    tries: 0,
    trigger: 1,
    on_wake: 0,
    platform_id: platform,
    channel_type: platform === null ? null : 'c',
    thread_id: null,
    content: '{}',
    source_session_id: null,
    ...fields,
  };
}
const ids = (rows: readonly MessageInRow[]) => rows.map((each) => each.id);
const context = { trigger: 0 } as const;

describe('isOpen', () => {
  const cases: [name: string, ack: Ack | undefined, tries: number, open: boolean][] = [
    ['never seen', undefined, 0, true],
    ['held', { status: 'processing' }, 0, false],
    ['done', { status: 'completed' }, 3, false],
    ['failed in this try', { status: 'failed', tries: 1 }, 1, false],
    ['failed in an earlier try', { status: 'failed', tries: 1 }, 2, true],
    ['failed in an unknown try', { status: 'failed', tries: null }, 2, false],
  ];
  for (const [name, ack, tries, open] of cases) it(name, () => assert.equal(isOpen(row(2, 'a', { tries }), ack), open));
});

describe('openRows', () => {
  it('leaves out what is paused, not due, or for another start', () => {
    const rows = [
      row(2, 'a', { status: 'paused' }),
      row(4, 'a', { process_after: isoTime(NOW + 1) }),
      row(6, 'a', { process_after: isoTime(NOW) }),
      row(8, 'a', { on_wake: 1 }),
      row(10, 'a', { on_wake: 1 }),
    ];
    assert.deepEqual(ids(openRows(rows, new Map(), NOW, new Set(['m10']))), ['m6', 'm10']);
    assert.equal(nextDue(rows, new Map(), NOW), NOW + 1);
    assert.equal(nextDue([], new Map(), NOW), Number.POSITIVE_INFINITY);
  });
});

describe('nextBatch', () => {
  it('takes the origin that has waited longest, its oldest triggers and its newest context', () => {
    const rows = [
      row(2, 'b', context),
      row(4, 'a'),
      row(6, 'a', context),
      row(8, 'b'),
      row(10, 'a', context),
      row(12, 'a'),
      row(14, 'a'),
      row(16, 'a', context),
    ];
    const batch = nextBatch(rows, 2);
    assert.deepEqual(ids(batch?.triggers ?? []), ['m4', 'm12']);
    assert.deepEqual(ids(batch?.context ?? []), ['m10', 'm16']);
  });

  it('keeps threads apart, and lets what belongs to no chat ride along', () => {
    const rows = [row(2, null, context), row(4, 'a', { ...context, thread_id: 't' }), row(6, 'a')];
    assert.deepEqual(ids(nextBatch(rows, 10)?.context ?? []), ['m2']);
  });

  it('never begins with context alone', () => assert.equal(nextBatch([row(2, 'a', context)], 10), null));
});

describe('nextPushes', () => {
  const origin = row(0);
  it('takes triggers of the same origin, and no context', () => {
    assert.deepEqual(ids(nextPushes([row(2), row(4, 'a', context), row(6)], { origin, taken: 1, held: 1 }, 10)), [
      'm2',
      'm6',
    ]);
  });

  it('stops at the limit once another origin has waited longer', () => {
    const rows = [row(2), row(4, 'b'), row(6), row(8), row(10)];
    assert.deepEqual(ids(nextPushes(rows, { origin, taken: 1, held: 1 }, 3)), ['m2', 'm6']);
    assert.deepEqual(ids(nextPushes(rows, { origin, taken: 9, held: 1 }, 3)), ['m2']);
  });

  it('holds no more than an answer can name', () => {
    const rows = Array.from({ length: 150 }, (_, index) => row(2 + 2 * index));
    assert.equal(nextPushes(rows, { origin, taken: 40, held: 40 }, 10).length, 60);
  });
});

it('nobody is starved, whatever comes meanwhile', () => {
  const arrivals = fc.array(
    fc.record({ origin: fc.constantFrom('a', 'b', 'c'), trigger: fc.constantFrom(0 as const, 1 as const) }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 5 }), fc.boolean(), (rows, max, chatty) => {
      const queue = rows.map(({ origin, trigger }, index) => row(2 + 2 * index, origin, { trigger }));
      const acks = new Map<string, Ack>();
      let seq = queue.length * 2;
      let turns = 0;
      const wanted = queue.filter((each) => each.trigger === 1);
      while (wanted.some((each) => !acks.has(each.id))) {
        assert.ok(++turns <= wanted.length, 'every turn settles at least one of those that waited');
        const batch = nextBatch(openRows(queue, acks, NOW, new Set()), max);
        assert.ok(batch);
        const [first] = batch.triggers;
        assert.ok(first && batch.triggers.length <= max && batch.context.length <= max);
        for (const each of [...batch.triggers, ...batch.context]) acks.set(each.id, { status: 'completed' });
        let taken = batch.triggers.length;
        for (let more = 0; more < 20; more++) {
          // The origin whose turn it is never stops writing.
          seq += 2;
          if (chatty) queue.push(row(seq, first.platform_id));
          const pushes = nextPushes(openRows(queue, acks, NOW, new Set()), { origin: first, taken, held: 0 }, max);
          for (const each of pushes) acks.set(each.id, { status: 'completed' });
          taken += pushes.length;
          if (pushes.length === 0) break;
        }
      }
    }),
  );
});
