import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { between, nextAfter, plan, type Schedule, upcoming } from './schedule.ts';
import { inWords } from './words.ts';

/** Times and zones. The wall clock of each zone is read here by itself, as a person would. */

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'] as const;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const DAY = 86_400_000;

const zones = fc.constantFrom(...ZONES);
const instants = fc.integer({ min: Date.parse('2025-01-01T00:00Z'), max: Date.parse('2031-01-01T00:00Z') });

function wall(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
}

function daily(hour: number, minute: number, timezone: string): Schedule {
  return { text: `${minute} ${hour} * * *`, recurs: true, timezone };
}

function must(text: string, zone: string, now = NOW, often = false) {
  const planned = plan(text, zone, now, { often });
  assert.ok(planned.ok, planned.ok ? '' : planned.problem);
  return planned;
}

test('a daily time comes once on each day there, whatever the clocks do', () => {
  fc.assert(
    fc.property(
      zones,
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      instants,
      (zone, hour, minute, from) => {
        const times = upcoming(daily(hour, minute, zone), from, 200);
        const days = times.map((at) => wall(at, zone).slice(0, 10));
        assert.equal(new Set(days).size, 200);
        const first = Date.parse(days[0] ?? '');
        assert.deepEqual(
          days,
          days.map((_, index) => new Date(first + index * DAY).toISOString().slice(0, 10)),
        );
        const wanted = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00`;
        for (const at of times) {
          const shown = wall(at, zone).slice(11);
          // Only in a gap it is another: the end of the gap, a moment before which it was not yet that time.
          if (shown !== wanted)
            assert.ok(shown > wanted && wall(at - 1_000, zone).slice(11) < wanted, `${shown} ${wanted}`);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('what recurs by the minute goes on evenly through both changes', () => {
  fc.assert(
    fc.property(zones, fc.constantFrom(5, 10, 15, 30), instants, (zone, minutes, from) => {
      const times = upcoming({ text: `*/${minutes} * * * *`, recurs: true, timezone: zone }, from, 500);
      for (const [index, at] of times.slice(1).entries()) assert.equal(at - (times[index] ?? 0), minutes * 60_000);
    }),
    { numRuns: 30 },
  );
});

test('a local time is read as that clock shows it; one that does not exist is the end of the gap; of two it is the first', () => {
  fc.assert(
    fc.property(zones, instants, (zone, at) => {
      const text = wall(at, zone);
      const planned = must(text, zone, at - 2 * DAY);
      assert.equal(wall(planned.next, zone), text);
      // A clock shows whole seconds.
      assert.ok(planned.next <= at && at - planned.next < 3_601_000);
      assert.equal(planned.remark, undefined);
    }),
    { examples: [['Europe/Berlin', Date.parse('2029-10-28T01:00:00.001Z')]] },
  );
  const gap = must('2027-03-28 02:30', 'Europe/Berlin');
  assert.equal(new Date(gap.next).toISOString(), '2027-03-28T01:00:00.000Z');
  assert.match(gap.remark ?? '', /doesn't exist there.*2027-03-28 03:00/);
  const half = must('2027-10-03 02:15', 'Australia/Lord_Howe');
  assert.equal(wall(half.next, 'Australia/Lord_Howe'), '2027-10-03 02:30:00');
  assert.equal(new Date(must('2027-10-31 02:30', 'Europe/Berlin').next).toISOString(), '2027-10-31T00:30:00.000Z');
  assert.equal(new Date(must('2027-10-31T02:30+01:00', 'UTC').next).toISOString(), '2027-10-31T01:30:00.000Z');
});

test('the next is after now and there is none between; what was missed is exactly what lies between', () => {
  const crons = fc.constantFrom(
    '0 9 * * 1-5',
    '30 2 * * *',
    '0 */2 * * *',
    '0 0 1 * *',
    '15,45 1-3 * * *',
    '0 0 29 2 *',
  );
  fc.assert(
    fc.property(crons, zones, instants, fc.integer({ min: 0, max: 40 * DAY }), (text, timezone, from, span) => {
      const schedule = { text, recurs: true, timezone };
      const first = nextAfter(schedule, from);
      assert.ok(first !== undefined && first > from);
      const expected: number[] = [];
      for (let at: number | undefined = first; at !== undefined && at <= first + span; at = nextAfter(schedule, at)) {
        expected.push(at);
      }
      assert.deepEqual(between(schedule, first, first + span, 50), expected.slice(-50));
    }),
    { numRuns: 60 },
  );
});

test('with a day of the month and a weekday, either is enough; the leap day comes in leap years', () => {
  const days = (text: string, count: number) =>
    upcoming({ text, recurs: true, timezone: 'UTC' }, NOW, count).map((at) => new Date(at).toISOString().slice(0, 10));
  assert.deepEqual(days('0 0 13 * FRI', 4), ['2026-11-27', '2026-12-04', '2026-12-11', '2026-12-13']);
  assert.deepEqual(days('0 0 29 2 *', 2), ['2028-02-29', '2032-02-29']);
});

test('relative times, offsets and words', () => {
  assert.equal(must('in 20 seconds', 'UTC').next, NOW + 20_000);
  assert.equal(must('in 3 days', 'UTC').next, NOW + 3 * DAY);
  assert.equal(must('2026-11-21T14:00:01+0200', 'UTC').next, NOW + 1_000);
  assert.equal(must('@daily', 'Europe/Berlin').next, Date.parse('2026-11-21T23:00:00Z'));
  assert.equal(
    inWords(must('0 9 * * 1-5', 'America/New_York').next, 'America/New_York'),
    'Mon 23 Nov 2026, 09:00 (America/New_York)',
  );
});

const refused: readonly (readonly [text: string, zone: string, why: RegExp])[] = [
  ['0 0 30 2 *', 'UTC', /never comes/],
  ['0 9 31 2,4 *', 'UTC', /never comes/],
  ['* * * * * *', 'UTC', /comes every 1 s: once a minute/],
  ['0,30 * * * * *', 'UTC', /comes every 30 s/],
  ['59,0 * * * * *', 'UTC', /comes every 1 s/],
  ['60 9 * * *', 'UTC', /neither a time nor a cron/],
  [
    '2020-01-01 09:00',
    'Europe/Berlin',
    /Wed 1 Jan 2020, 09:00 \(Europe\/Berlin\) is over: it is Sat 21 Nov 2026, 13:00/,
  ],
  ['2026-11-21T12:00:00Z', 'UTC', /is over/],
  ['2027-02-30 09:00', 'UTC', /is no time/],
  ['2027-01-01T25:00', 'UTC', /is no time/],
  ['9999-01-01 00:00', 'UTC', /is no time/],
  ['in 9999999 weeks', 'UTC', /is no time/],
  ['tomorrow', 'UTC', /neither a time nor a cron/],
  ['', 'UTC', /neither a time nor a cron/],
  // A date, to the library: of UTC, whatever the zone.
  ['12:00 2027-01-01', 'Europe/Berlin', /is no time. One is written/],
  ['1 Jan 2027 09:00', 'Europe/Berlin', /is no time. One is written/],
  ['+002027-01-01T00:00', 'UTC', /is no time. One is written/],
  ['in 3 mays', 'UTC', /neither a time nor a cron/],
  ['tomorrow at 9', 'UTC', /neither a time nor a cron expression\. Once: in 20 minutes/],
  ['in 1.5 hours', 'UTC', /neither a time nor a cron expression\. Once: in 20 minutes/],
  ['in 0 seconds', 'UTC', /is now: say a time that is still to come/],
  ['0 9 * * *', 'Mars/Olympus', /no time zone “Mars\/Olympus”/],
  ['0 9 * * *', '+02:00', /no time zone/],
];

for (const [text, zone, why] of refused) {
  test(`refused when it is made: ${JSON.stringify(text)} in ${zone}`, () => {
    const planned = plan(text, zone, NOW);
    assert.ok(!planned.ok);
    assert.match(planned.problem, why);
  });
}

test('seconds are for whoever may have them', () => {
  assert.equal(must('* * * * * *', 'UTC', NOW, true).next, NOW + 1_000);
});
