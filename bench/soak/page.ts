import { markdownRows, type Row } from '../report.ts';
import type { SoakOptions, SoakResult } from './run.ts';
import { tenths } from './verdict.ts';

/** The soak's own part of docs/performance.md. */

export function soakSection(options: SoakOptions, result: SoakResult, rows: readonly Row[]): string {
  const last = result.samples.at(-1);
  const size = (bytes = 0) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const spreads = tenths(result).map(
    ({ p50, p95, p99 }, index) => `| ${index + 1} | ${p50.toFixed(1)} | ${p95.toFixed(1)} | ${p99.toFixed(1)} |`,
  );
  return `<!-- soak -->
## Soak

Made by \`npm run bench:soak -- --messages ${options.messages} --chats ${options.chats} --write\`: a real host, ${options.chats} chats of one agent, each with a
sandbox of its own and the demo provider. In each chat the next message is sent when the last is answered, so that both cores are
busy all the time: the latencies are those of a host that is never idle, and what counts is that they don't change.

| what | figure | claim | |
|---|---|---|---|
${markdownRows(rows)}

![latency, memory and open handles over the run](soak.svg)

| tenth | p50 ms | p95 ms | p99 ms |
|---|---|---|---|
${spreads.join('\n')}

At the end: central database ${size(last?.sizes.database)} (every message is kept), mailboxes ${size(last?.sizes.mailboxes)}, the host's log
${size(last?.sizes.log)}, the sandboxes' logs ${size(last?.sizes.sandboxLogs)}, both rotated.
<!-- /soak -->
`;
}
