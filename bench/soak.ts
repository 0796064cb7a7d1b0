import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CODE } from '../test/support/host-process.ts';
import { withPart } from './parts.ts';
import { table } from './report.ts';
import { chart } from './soak/chart.ts';
import { soakSection } from './soak/page.ts';
import { type Progress, soak } from './soak/run.ts';
import { mean, tenths, verdict } from './soak/verdict.ts';

/**
 * Many messages through a real host and real sandboxes: nothing is lost, nothing grows, nothing slows down. 100,000 take
 * about a quarter of an hour; Ctrl+C ends it early with what was measured until then. `--write` keeps the result in
 * docs/performance.md. Exit status 1 when a claim does not hold.
 */

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    chats: { type: 'string', default: '8' },
    write: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const chats = Number(values.chats);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

let shown = 0;
function onProgress({ answered, perSecond, sample }: Progress): void {
  if (answered - shown < messages / 50) return;
  shown = answered;
  const megabytes = (kilobytes = Number.NaN) => `${Math.round(kilobytes / 1024)} MB`;
  const runner = mean(sample.runners.map(({ rss }) => rss));
  process.stderr.write(
    `${answered} answered, ${Math.round(perSecond)}/s; host ${megabytes(sample.host.rss)}, ${sample.host.descriptors} handles, ` +
      `${(sample.host.cpu / answered).toFixed(1)} ms of processor a message; reader ${megabytes(sample.reader?.rss)}; a runner ${megabytes(runner)}\n`,
  );
}

const options = { messages, chats, signal: stop.signal, onProgress };
const result = await soak(options);
const rows = verdict(result, messages);
process.stdout.write(`${table(rows)}\n\n`);
for (const [index, { p50, p95, p99 }] of tenths(result).entries()) {
  process.stdout.write(`tenth ${index + 1}: p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, p99 ${p99.toFixed(1)} ms\n`);
}
if (values.write) {
  const page = join(CODE, 'docs/performance.md');
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'soak', soakSection(options, result, rows)));
  writeFileSync(join(CODE, 'docs/soak.svg'), chart(result, messages));
}
process.exit(rows.some((row) => row.missed) ? 1 : 0);
