import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DRIVER_NAMES, type DriverName } from '../drivers/names.ts';
import { CODE } from '../test/support/host-process.ts';
import { engineSocket } from '../test/support/runtime.ts';
import { emptyStart } from './drivers/empty.ts';
import { idleMemory } from './drivers/memory.ts';
import { coldStarts } from './hops.ts';
import { withPart } from './parts.ts';
import { distribution, markdownRows, type Row, table } from './report.ts';

/**
 * The cold start and the memory of each driver, beside what an empty start takes by the same means:
 * `NANOCLAW_TEST_DOCKER=<socket> NANOCLAW_TEST_PODMAN=<socket> npm run bench:drivers -- --write`. An engine that isn't named is left out.
 */

const { values } = parseArgs({
  options: { starts: { type: 'string', default: '20' }, write: { type: 'boolean', default: false } },
});
const starts = Number(values.starts);
const BUDGETS: Readonly<Partial<Record<DriverName, { p50: number }>>> = {
  bubblewrap: { p50: 150 },
  docker: { p50: 500 },
};
const drivers = DRIVER_NAMES.filter((name) => name === 'bubblewrap' || engineSocket(name) !== undefined);

const rows: Row[] = [];
for (const driver of drivers) {
  process.stderr.write(`${driver} …\n`);
  // One that isn't counted: what an engine or a disk does once.
  await emptyStart(driver);
  const empty = [];
  for (let count = 0; count < starts; count += 1) empty.push(await emptyStart(driver));
  const begun = empty.flatMap((start) => start.begun ?? []);
  if (begun.length > 0) rows.push(distribution(`${driver}: /bin/true, asked for → runs`, begun, {}));
  const ended = empty.map((start) => start.ended);
  rows.push(distribution(`${driver}: /bin/true, asked for → has ended`, ended, {}));
  const [, ...cold] = await coldStarts(starts + 1, driver);
  rows.push(distribution(`${driver}: cold, event → the runner has it`, cold, BUDGETS[driver] ?? {}));
  const { inside, beside, host } = await idleMemory(driver);
  rows.push({
    what: `${driver}: memory of a sandbox with nothing to do`,
    figure: `${megabytes(inside)} inside, ${megabytes(beside)} beside it, ${megabytes(host)} in the host`,
  });
}
process.stdout.write(`${table(rows)}\n`);
if (values.write) {
  const page = join(CODE, 'docs/performance.md');
  const section = `<!-- drivers -->
## Sandboxes of each kind

Made by \`npm run bench:drivers -- --write\`, one after the other in one run, with the demo provider and the image without Chromium. Beside each
is the empty start of the same means: \`bwrap\` with all namespaces, or the Engine API's create, start and wait. *Beside it* are the processes
that hold a sandbox (bwrap's first stage, containerd's shim, conmon), without the engine itself; shared memory counts in parts.

| what | figure | budget | |
|---|---|---|---|
${markdownRows(rows)}
<!-- /drivers -->
`;
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'drivers', section));
}
process.exit(rows.some((row) => row.missed) ? 1 : 0);

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
