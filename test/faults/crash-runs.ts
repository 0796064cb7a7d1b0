import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { drive, type Result } from './drive.ts';
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
  const missed: string[] = [];
  for (const { plan } of sure.filter((result) => !isReached(result))) {
    // On a busy machine the host's own patience may end a sandbox first (a stop that isn't obeyed within 2 s). Once more, alone.
    const again = await drive(planOf(plan.seed), { template });
    assert.deepEqual(again.problems, [], `seed ${plan.seed}, ${plan.point.name}, alone`);
    if (!isReached(again)) missed.push(`seed ${plan.seed}, ${plan.point.name}`);
  }
  assert.deepEqual(missed, [], 'points that were not reached');
}

const isReached = ({ plan, reached }: Result) => reached.includes(plan.point.name);
