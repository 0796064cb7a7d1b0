import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../../test/support/directory.ts';
import { HOUR, MINUTE, stage, T0 } from './testing/stage.ts';

/** Clocks that are set, and those that change twice a year. */

test('a clock that is set back fires nothing twice', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { id } = scene.create({ when: '0 * * * *' });
  scene.look(T0 + 30 * MINUTE);
  scene.end('reply', T0 + 31 * MINUTE);
  scene.restart();
  for (const at of [T0, T0 + 30 * MINUTE, T0 + 31 * MINUTE]) scene.look(at);
  assert.deepEqual(scene.runs(id).length, 1);
  scene.look(T0 + 90 * MINUTE);
  assert.deepEqual(
    scene.runs(id).map(({ missed }) => missed),
    [0, 0],
    'nor has it missed what came',
  );
});

for (const remembers of [true, false]) {
  test(`a clock that was years ahead is no reason to be silent for years${remembers ? '' : ', also after a start'}`, async () => {
    await using world = createWorld();
    using scene = stage(world);
    const { id } = scene.create({ when: '0 * * * *' });
    const reminder = scene.create({ when: 'in 5000 days' });
    scene.look(T0);
    const ahead = T0 + 4 * 365 * 24 * HOUR;
    scene.look(ahead);
    scene.end('reply', ahead + 1_000);
    if (!remembers) scene.restart();
    scene.look(T0 + 10 * MINUTE);
    assert.equal(scene.task(id)?.next_at, '2027-02-01T08:00:00.000Z');
    assert.equal(Date.parse(String(scene.task(reminder.id)?.next_at)), reminder.nextAt);
    scene.look(T0 + 30 * MINUTE);
    assert.equal(scene.runs(id).length, 2);
  });
}

test('a clock that is set back leaves a task that has failed its longer wait', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { id } = scene.create({ when: '* * * * *' });
  for (const at of [0, 1, 2]) {
    const due = Date.parse(String(scene.task(id)?.next_at));
    scene.look(due);
    scene.fail('script', `exit code ${at}`, due);
  }
  const waits = scene.task(id)?.next_at;
  scene.restart();
  scene.look(Date.parse(String(waits)) - 3 * MINUTE);
  assert.equal(scene.task(id)?.next_at, waits);
});

const CHANGES: readonly (readonly [zone: string, ...days: string[]])[] = [
  ['Europe/Berlin', '2027-03-28', '2027-10-31'],
  ['America/New_York', '2027-03-14', '2027-11-07'],
  ['Australia/Lord_Howe', '2027-04-04', '2027-10-03'],
];

for (const [zone, ...days] of CHANGES) {
  test(`in ${zone}, around each change of its clocks, what comes daily fires once each day, what comes hourly each hour`, async () => {
    await using world = createWorld();
    using scene = stage(world);
    for (const day of days) {
      const from = Date.parse(`${day}T00:00Z`) - 36 * HOUR;
      const until = from + 72 * HOUR;
      const [daily, thrice, hourly] = ['30 2 * * *', '15 1,2,3 * * *', '40 * * * *'].map(
        (when) => scene.create({ when, timezone: zone }, from).id,
      );
      const ids = [daily, thrice, hourly].map(String);
      const next = () => Math.min(...ids.map((id) => Date.parse(String(scene.task(id)?.next_at))));
      // A moment before and a moment after whatever is due next, as the timer does.
      for (let at = next(); at < until; at = next()) {
        scene.look(at - 1_000);
        scene.look(at + 20);
        scene.end('reply', at + 1_000);
      }
      const [once, three, each] = ids.map((id) => scene.runs(id).map(({ due }) => Date.parse(`${due}Z`)));
      const local = (at: number) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at);
      const perDay = (times: readonly number[] = []) =>
        Object.values(Object.groupBy(times, local)).map((all) => all?.length);
      assert.deepEqual(perDay(once), [1, 1, 1]);
      // Two of these may fall together at the end of a gap, and the window begins and ends within a day.
      assert.ok(
        perDay(three).every((count) => count === 3 || count === 2),
        String(perDay(three)),
      );
      const gaps = new Set(each?.slice(1).map((at, index) => (at - (each[index] ?? 0)) / MINUTE));
      assert.deepEqual(
        [...gaps].filter((gap) => gap !== 60 && zone !== 'Australia/Lord_Howe'),
        [],
      );
      for (const id of ids) assert.ok(scene.tasks.changes.cancel(id, world.owner, until).ok);
    }
  });
}
