import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { drive } from './drive.ts';
import { createTemplate } from './install.ts';
import { planOf } from './plan.ts';
import { POINTS } from './points.ts';
import { playAll, summary } from './series.ts';

/** More than there are cores: most of a run is waiting. */
const AT_ONCE = 3;

/** Plays these seeds; a seed that failed is played again by `node test/faults/run.ts --seed <n>`. */
export async function checkSeeds(t: TestContext, first: number, last: number): Promise<void> {
  using template = createTemplate();
  const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const results = await playAll(seeds, AT_ONCE, (seed) => drive(planOf(seed), { template }));
  t.diagnostic(summary(results).text);
  const failed = results.filter(({ problems }) => problems.length > 0);
  assert.deepEqual(
    failed.map(({ plan, problems }) => `seed ${plan.seed}, ${plan.point.name}: ${problems.join('; ')}`),
    [],
  );
  // The first round of seeds arms each point at its first time.
  const sure = results.filter(({ plan }) => plan.seed <= POINTS.length);
  const missed = sure.filter(({ plan, reached }) => !reached.includes(plan.point.name));
  assert.deepEqual(
    missed.map(({ plan }) => `seed ${plan.seed}, ${plan.point.name}`),
    [],
    'points that were not reached',
  );
}
