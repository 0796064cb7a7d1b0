import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, pauseAfter, type Situation } from './decide.ts';
import type { ImageStatus } from './status.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const last = (more: Partial<ImageStatus>): ImageStatus => ({
  image: 'i:latest',
  content: 'b',
  state: 'failed',
  at: '2026-01-01T11:00:00Z',
  pid: 1,
  serves: false,
  tries: 1,
  ...more,
});

const TABLE: readonly (readonly [string, Partial<Situation>, ReturnType<typeof decide>])[] = [
  ['none is there', { there: null }, { make: true }],
  ['another is there', { there: 'a' }, { make: true }],
  ['one that says nothing of its content', { there: '' }, { make: true }],
  ['it is there', { there: 'b' }, { make: false, because: 'current' }],
  ['it is there, and somebody asks', { there: 'b', asked: true }, { make: false, because: 'current' }],
  ['it was made, and pruned', { there: null, last: last({ state: 'ready' }) }, { make: true }],
  ['the same has failed', { last: last({}) }, { make: false, because: 'given-up' }],
  ['the same has failed, and none is there', { there: null, last: last({}) }, { make: false, because: 'given-up' }],
  ['the same has failed, and somebody asks', { last: last({}), asked: true }, { make: true }],
  ['another has failed', { last: last({ content: 'a' }) }, { make: true }],
  [
    'the network failed',
    { last: last({ retryAt: '2026-01-01T12:01:00Z' }) },
    { make: false, because: 'wait', ms: 60_000 },
  ],
  ['the network failed some time ago', { last: last({ retryAt: '2026-01-01T11:59:00Z' }) }, { make: true }],
  [
    'the clock was set back since',
    { last: last({ retryAt: '2027-01-01T00:00:00Z' }) },
    { make: false, because: 'wait', ms: 3_600_000 },
  ],
];

for (const [name, situation, expected] of TABLE) {
  test(`${name}: ${expected.make ? 'make it' : expected.because}`, () => {
    assert.deepEqual(
      decide({ there: 'a', wanted: 'b', last: undefined, now: NOW, asked: false, ...situation }),
      expected,
    );
  });
}

test('pauses grow up to an hour', () => {
  assert.deepEqual([0, 1, 2, 5, 6, 1000].map(pauseAfter), [60_000, 120_000, 240_000, 1_920_000, 3_600_000, 3_600_000]);
});
