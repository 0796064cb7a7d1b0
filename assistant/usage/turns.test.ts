import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../../src/db/group-commit.ts';
import { createInstall } from '../../test/support/central.ts';
import { stage, T } from './testing/stage.ts';

/** Turns that run when a budget is used up. */

test('a turn that goes on beyond its budget is ended; one that has just ended is not', () => {
  using install = createInstall();
  using on = stage(install);
  const asked = on.ask();
  on.takesUp([asked]);
  on.spend(11, { turn: 't1' });
  assert.deepEqual([on.stopped, on.said()], [[], []], 'its answer is on its way');
  const later = on.ask();
  on.usage.look(T);
  assert.equal(on.said().length, 1);
  assert.equal(on.usage.limit(on.session.id), 2, 'it is not shown what came later');
  on.spend(12, { turn: 't2', soFar: true });
  assert.deepEqual(on.stopped, [on.session.id]);
  assert.match(
    on.said().at(-1) ?? '',
    /^⏸️ I stopped in the middle: my budget for today is used up\. What was done until then stays done\./,
  );
  assert.deepEqual(
    on.messages.open(on.session.id).map(({ id }) => id),
    [later],
  );
  on.usage.look(T + 1_000);
  assert.equal(on.said().length, 2);
});

test('a turn that goes on over midnight counts in the new day', () => {
  using install = createInstall();
  using on = stage(install);
  const midnight = Date.parse('2027-02-10T23:00:00Z');
  on.takesUp([on.ask()]);
  on.spend(9, { turn: 't1', soFar: true }, midnight - 1);
  on.spend(9.5, { turn: 't1', soFar: true }, midnight);
  assert.deepEqual(on.stopped, []);
  on.spend(10, { turn: 't1', soFar: true }, midnight + 1);
  assert.deepEqual(on.stopped, [on.session.id]);
  assert.deepEqual(
    on.rows().map(({ day }) => day),
    ['2027-02-11'],
  );
});

test('a turn whose last figures come together with those before is not ended; nor is one without anything left to do', () => {
  using install = createInstall();
  using on = stage(install);
  on.takesUp([on.ask()]);
  transaction(install.db, () => {
    for (const soFar of [true, false]) {
      const figures = { action: 'usage' as const, provider: 'p', inputTokens: 1, outputTokens: 1, costUsd: 11 };
      on.usage.report(on.session, { ...figures, turn: 't1', ...(soFar && { soFar }) }, null, T);
    }
  });
  on.usage.look(T);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.takesUp([]);
  on.spend(12, { turn: 't2', soFar: true });
  assert.deepEqual([on.stopped, on.said()], [[], []]);
});

test('a run of a task has a budget of its own, over all its tries', () => {
  using install = createInstall();
  using on = stage(install);
  on.set('1', 'task');
  const run = on.ask(on.session, 'task');
  on.takesUp([run]);
  on.spend(0.6, { turn: 't1', soFar: true }, T, run);
  assert.deepEqual(on.stopped, []);
  on.spend(0.5, { turn: 't2', soFar: true }, T, run);
  assert.deepEqual([on.stopped, on.runs], [[on.session.id], [run]]);
  assert.match(on.said().at(-1) ?? '', /my budget for one run of a task is used up.*\/budget task 2$/);
  assert.equal(on.usage.isHeld(on.session.id), false, 'nothing else waits for that');
});

test('a sandbox that outlives its host is shown nothing new', () => {
  using install = createInstall();
  using on = stage(install);
  on.takesUp([on.ask()]);
  on.set('0');
  on.restart();
  assert.equal(on.usage.limit(on.session.id), 2);
  on.ask();
  assert.equal(on.usage.limit(on.session.id), 2);
  on.set('none');
  assert.equal(on.usage.limit(on.session.id), Number.POSITIVE_INFINITY);
  assert.deepEqual(on.published, [on.session.id]);
});
