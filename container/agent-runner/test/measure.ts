import { readFileSync } from 'node:fs';
import { HostStandIn, until } from './host.ts';
import { RunnerProcess } from './process.ts';
import { Running } from './runner.ts';

/** Figures of the runner alone, without a sandbox: `bun container/agent-runner/test/measure.ts`. */

const looks: number[] = [];
const answers: number[] = [];
for (let round = 0; round < 10; round++) {
  using host = new HostStandIn();
  host.say('m1', 'count');
  const start = performance.now();
  await using runner = new RunnerProcess(host);
  await until('an answer', () => host.acks().m1 === 'completed');
  answers.push(performance.now() - start);
  looks.push(Number(runner.line('first-look')?.sinceStartMs));
}
report('process start → first look', looks);
report('process start → first answer written (demo)', answers);

await using run = new Running();
const pushed: number[] = [];
const settled: number[] = [];
let published = 0;
run.provider.onPush = (query, id) => {
  pushed.push(performance.now() - published);
  query.settle([id], 'ok');
};
run.host.publish();
run.start();
for (let round = 0; round < 300; round++) {
  run.host.rows = [];
  run.host.add(`m${round}`);
  published = performance.now();
  run.host.publish();
  await until('an answer', () => run.host.acks()[`m${round}`] === 'completed');
  settled.push(performance.now() - published);
}
report('published → prompt at the provider, warm', pushed);
report('published → answer seen in outbound.db, warm', settled);

using idle = new HostStandIn();
idle.publish();
await using quiet = new RunnerProcess(idle);
await until('it looks', () => quiet.line('first-look'));
for (const [what, wait] of [
  ['looking every 5 ms', 0],
  ['looking every 50 ms', 31_000],
] as const) {
  await new Promise((resolve) => setTimeout(resolve, wait));
  const before = cpu(quiet);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  process.stdout.write(`idle, ${what}: ${(((cpu(quiet) - before) / 5000) * 100).toFixed(2)} % of a core\n`);
}

/** Processor time in ms, at 100 ticks a second. */
function cpu(runner: RunnerProcess): number {
  const fields = readFileSync(`/proc/${runner.child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function report(what: string, values: number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(1);
  process.stdout.write(`${what}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (${values.length})\n`);
}
