import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODE } from '../test/support/host-process.ts';
import { bareFigures } from './bare.ts';
import { bootFigures } from './boot.ts';
import { hopFigures } from './hops.ts';
import { idleFigures } from './idle.ts';
import { withPartsOf } from './parts.ts';
import { markdown, type Row, table } from './report.ts';
import { throughputFigures } from './throughput.ts';

/**
 * Every figure of the budget, on this machine, in one run beside a bare Node and a bare SQLite.
 * `npm run bench` takes about two minutes; `-- --silence` adds the wait of 120 s; `-- --write` keeps the table in
 * docs/performance.md; `-- --only hops` runs a part.
 */

const parts: Record<string, (options: { silence: boolean }) => Promise<Row[]>> = {
  bare: bareFigures,
  boot: bootFigures,
  hops: hopFigures,
  throughput: throughputFigures,
  idle: idleFigures,
};

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const rows: Row[] = [];
for (const [name, run] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue;
  process.stderr.write(`${name} …\n`);
  rows.push(...(await run({ silence: process.argv.includes('--silence') })));
}
process.stdout.write(`${table(rows)}\n`);
if (process.argv.includes('--write')) {
  const page = join(CODE, 'docs', 'performance.md');
  writeFileSync(page, withPartsOf(readFileSync(page, 'utf8'), markdown(rows)));
}
process.exit(rows.some((row) => row.missed) ? 1 : 0);
