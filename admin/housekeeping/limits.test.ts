import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBackups, chooseToGo, isToGo, readLimits } from './limits.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MB = 1024 ** 2;

test('settings: days and MB, 0 is for ever, and what can not be read is told', () => {
  const told: string[] = [];
  const limits = readLimits(
    {
      NANOCLAW_KEEP_MESSAGES_DAYS: '30',
      NANOCLAW_KEEP_MESSAGES_MB: '0',
      NANOCLAW_KEEP_LOGS_DAYS: 'a week',
      NANOCLAW_KEEP_USAGE_DAYS: '-1',
      NANOCLAW_KEEP_LOGS_MD: '1',
    },
    (sentence) => told.push(sentence),
  );
  assert.deepEqual(limits.messages, { ageMs: 30 * DAY, bytes: Number.POSITIVE_INFINITY, floorMs: 7 * DAY });
  assert.deepEqual(limits.logs, { ageMs: 30 * DAY, bytes: 500 * MB, floorMs: DAY });
  assert.deepEqual(told, [
    'NANOCLAW_KEEP_LOGS_DAYS is not a whole number of 0 or more; 30 is used.',
    'NANOCLAW_KEEP_USAGE_DAYS is not a whole number of 0 or more; 400 is used.',
    'NANOCLAW_KEEP_LOGS_MD is no setting that is known: see docs/housekeeping.md.',
  ]);
});

const limit = { ageMs: 30 * DAY, bytes: 10 * MB, floorMs: DAY };
const forEver = { ...limit, ageMs: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
const cases: [what: string, limit: typeof forEver, ageMs: number, total: number, goes: boolean][] = [
  ['old enough', limit, 31 * DAY, 0, true],
  ['as old as the limit', limit, 30 * DAY, 0, false],
  ['younger, and there is little', limit, 29 * DAY, 10 * MB, false],
  ['younger, and there is too much', limit, 2 * DAY, 11 * MB, true],
  ['below the floor, and there is too much', limit, HOUR, 11 * MB, false],
  ['from the future', limit, -DAY, 11 * MB, false],
  ['a hundred years old, kept for ever', forEver, 36_500 * DAY, 1e15, false],
  ['older than a limit that is below the floor', { ...limit, ageMs: 0 }, HOUR, 0, false],
];
for (const [what, given, age, total, goes] of cases) {
  test(`${what}: ${goes ? 'goes' : 'stays'}`, () => assert.equal(isToGo(given, age, total), goes));
}

test('by size, the oldest go until the rest fits; by age, all that are old', () => {
  const now = 1000 * DAY;
  const entry = (name: string, days: number, mb: number) => ({ name, at: now - days * DAY, bytes: mb * MB });
  const names = (entries: { name: string }[]) => entries.map(({ name }) => name);
  const all = [entry('new', 0.5, 50), entry('b', 3, 6), entry('a', 5, 6), entry('c', 2, 3)];
  // The one that is too new counts, and stays.
  assert.deepEqual(names(chooseToGo(all, limit, now)), ['a', 'b', 'c']);
  assert.deepEqual(names(chooseToGo(all.slice(1), limit, now)), ['a']);
  assert.deepEqual(names(chooseToGo([entry('x', 40, 0), ...all.slice(3)], limit, now)), ['x']);
  assert.deepEqual(chooseToGo([], limit, now), []);
});

test('of backups the newest that was finished stays, and what none was made of goes after a day', () => {
  const now = 1000 * DAY;
  const entry = (name: string, days: number) => ({ name, at: now - days * DAY, bytes: MB });
  const gone = (...all: ReturnType<typeof entry>[]) => chooseBackups(all, limit, now).map(({ name }) => name);
  const [older, newer] = [entry('older.tar', 50), entry('newer.tar', 40)];
  assert.deepEqual(gone(older, newer), ['older.tar']);
  assert.deepEqual(gone(newer, entry('v2-2026-01-01.db', 35)), ['v2-2026-01-01.db']);
  assert.deepEqual(gone(newer, entry('.making-x', 2), entry('b.tar.x.part', 2)), ['.making-x', 'b.tar.x.part']);
  assert.deepEqual(gone(newer, entry('.making-x', 0.9), entry('b.tar.x.part', 0.9)), []);
  assert.deepEqual(gone(), []);
  // More than a call may have arguments.
  const many = Array.from({ length: 200_000 }, (_, i) => entry(`${i}.tar`, 40));
  assert.equal(chooseBackups(many, limit, now).length, many.length - 1);
});
