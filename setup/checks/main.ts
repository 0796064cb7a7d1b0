/** All checks, one stage after the other: `npm test`. The last line is the sum. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filesToRepeat, onlyFiles } from './again.ts';
import { failingPart } from './counts.ts';
import { startEngines, withEngines } from './engines.ts';
import { endStages, runStage, type StageResult } from './run-stage.ts';
import { allStages, inTurn, type Stage } from './stages.ts';

const root = join(import.meta.dirname, '..', '..');
const { full, only } = parseArgs({
  options: { full: { type: 'boolean' }, only: { type: 'string', multiple: true } },
}).values;
const stages = allStages(root, full === true);
const unknown = only?.find((name) => !stages.some((stage) => stage.name === name));
if (unknown !== undefined) {
  console.error(`There is no stage ${unknown}; there are ${stages.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const started = performance.now();
const results: StageResult[] = [];
const repeated: string[] = [];
const chosen = stages.filter(({ name }) => only === undefined || only.includes(name));
const lastOnEngines = chosen.findLast(({ onEngines }) => onEngines);
const browser = full === true && chosen.some(({ name }) => name === 'engines');
let engines = lastOnEngines && startEngines(root, process.env, browser);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, async () => {
    endStages();
    await engines?.end();
    process.exit(130);
  });
}
for (const together of inTurn(chosen)) {
  const prepared = await Promise.all(together.map(prepare));
  const ended = await Promise.all(prepared.map(async (stage) => [stage, await run(stage)] as const));
  // Alone is after all that ran beside it.
  for (const [stage, result] of ended) await again(stage, result);
  if (lastOnEngines && together.includes(lastOnEngines)) {
    await engines?.end();
    engines = undefined;
  }
}

async function prepare(stage: Stage): Promise<Stage> {
  if (!engines || !stage.onEngines) return stage;
  const found = await engines.ready();
  for (const reason of found.missing) console.log(`    ${stage.name}, without an engine: ${reason}`);
  return withEngines(stage, found);
}

async function run(stage: Stage): Promise<StageResult> {
  const result = await runStage(root, stage);
  results.push(result);
  console.log(row(result));
  if (result.counts.failed > 0) {
    console.log(`\n${failingPart(stage.kind, result.output)}\n\nAll of it: ${result.log}\n`);
  }
  return result;
}

/** What failed beside other tests is run once more without them. It counts as passed if it then holds, and is named. */
async function again(stage: Stage, result: StageResult): Promise<void> {
  const files = filesToRepeat(stage, result);
  if (files === undefined) return;
  const second = await run(onlyFiles(stage, files));
  const holds = second.counts.failed === 0 && second.counts.passed > 0;
  // Its tests have been counted.
  second.counts = { passed: 0, failed: 0, skipped: 0 };
  if (!holds) return;
  result.counts = { ...result.counts, passed: result.counts.passed + result.counts.failed, failed: 0 };
  repeated.push(...files);
}

const passed = sum((result) => result.counts.passed);
const failed = sum((result) => result.counts.failed);
console.log(
  `\n${'stage'.padEnd(14)} ${'passed'.padStart(8)} ${'failed'.padStart(8)} ${'skipped'.padStart(8)} ${'seconds'.padStart(8)}`,
);
for (const { name, counts, seconds } of results) {
  const cells = [counts.passed, counts.failed, counts.skipped, seconds.toFixed(1)];
  console.log([name.padEnd(14), ...cells.map((cell) => String(cell).padStart(8))].join(' '));
}
console.log(`${'all'.padEnd(41)} ${((performance.now() - started) / 1000).toFixed(1).padStart(8)}\n`);
if (repeated.length > 0) console.log(`Failed once, and passed when run alone: ${repeated.join(', ')}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function row({ name, counts, seconds }: StageResult): string {
  const ran = counts.passed + counts.failed > 0 ? `${counts.passed} passed, ${counts.failed} failed` : 'ok';
  return `  ${counts.failed === 0 ? '✓' : '✗'} ${name.padEnd(14)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${ran}`;
}

function sum(of: (result: StageResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}
