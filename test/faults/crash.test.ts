import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drive } from './drive.ts';
import { createTemplate } from './install.ts';
import { planOf } from './plan.ts';
import { playAll, summary } from './series.ts';

/** `npm run test:crashes` plays a thousand; a seed that failed is played again by `node test/faults/run.ts --seed <n>`. */
const RUNS = 50;
/** One more than there are cores: most of a run is waiting. */
const AT_ONCE = 3;

test('killed at any point, no message is lost, doubled or left open, and nothing stays behind', {
  timeout: 600_000,
}, async (t) => {
  using template = createTemplate();
  const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
  const results = await playAll(seeds, AT_ONCE, (seed) => drive(planOf(seed), { template }));
  const { text, missed } = summary(results);
  t.diagnostic(text);
  const failed = results.filter(({ problems }) => problems.length > 0);
  assert.deepEqual(
    failed.map(({ plan, problems }) => `seed ${plan.seed}, ${plan.point.name}: ${problems.join('; ')}`),
    [],
  );
  assert.deepEqual(missed, [], 'points that no run has reached');
});
