/**
 * Crash runs on demand: `node test/faults/run.ts [--runs 1000] [--seed 123] [--point accept.committed] [--at-once 2] [--keep]`.
 * A run that goes wrong is printed with its seed, which plays it again. Exit status 1 when one did.
 */
import { parseArgs } from 'node:util';
import { drive } from './drive.ts';
import { createTemplate } from './install.ts';
import { planOf } from './plan.ts';
import { POINTS } from './points.ts';
import { playAll, summary } from './series.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    point: { type: 'string' },
    'at-once': { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
});
using template = createTemplate();
const runs = Number(values.runs);
const first = Number(values.from);
const seeds =
  values.seed === undefined ? Array.from({ length: runs }, (_, index) => first + index) : [Number(values.seed)];
const results = await playAll(seeds, Number(values['at-once']), async (seed) => {
  const plan = planOf(seed, values.point);
  if (values.seed !== undefined) console.log(JSON.stringify(plan, null, 2));
  const result = await drive(plan, { template, keep: values.keep });
  if (result.problems.length > 0) {
    console.log(`seed ${seed}, ${plan.point.name}:`);
    for (const problem of result.problems) console.log(`  ${problem}`);
    if (values.keep) console.log(`  It lies in ${result.home}`);
  }
  return result;
});
const { text, failed, missed } = summary(results);
console.log(text);
if (values.seed === undefined && values.point === undefined && runs >= POINTS.length && missed.length > 0)
  console.log(`Never reached: ${missed.join(', ')}`);
process.exitCode = failed > 0 ? 1 : 0;
