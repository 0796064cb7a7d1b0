import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createHistory, type History, type Looking, type Wish } from '../assistant/history/index.ts';
import { pathsFor } from '../src/paths.ts';
import { createInstall } from '../test/support/central.ts';
import { CODE } from '../test/support/host-process.ts';
import { fillHistory } from './history/fill.ts';
import { withPart } from './parts.ts';
import { distribution, markdownRows, type Row, table } from './report.ts';

/**
 * A search in what was said: `npm run bench:history -- --messages 1000000 --write`. Half of it in one chat, the rest in a thousand
 * others, in words as often as words of a language are.
 */

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '1000000' }, write: { type: 'boolean', default: false } },
});
const messages = Number(values.messages);
const ROUNDS = 15;

// As the host does.
enableCompileCache(join(CODE, '.runtime/compile-cache'));
using install = createInstall();
const { db, root } = install;
const paths = pathsFor(root);
process.stderr.write(`${messages} messages …\n`);
const { busy, quiet, rare } = fillHistory(install, messages);
db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
const log = { info: () => undefined, warn: (line: string, fields?: object) => console.error(line, fields) };

async function ask(history: History, looking: Looking, wish: Partial<Wish>): Promise<{ ms: number; hits: number }> {
  for (;;) {
    const begun = performance.now();
    const found = await history.search({ limit: 20, ...wish }, looking, Date.now());
    const ms = performance.now() - begun;
    if (found.ok) return { ms, hits: found.data.hits.length };
    if (found.code !== 'NC_BUSY') throw new Error(found.detail);
  }
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MB`;
let history = createHistory({ db, paths, log });
const begun = performance.now();
await ask(history, {}, { words: rare });
const made = (performance.now() - begun) / 1000;
const sizes = { index: statSync(paths.history).size, database: statSync(paths.db).size };
const rows: Row[] = [
  {
    what: `the index made anew, of ${messages.toLocaleString('en')} messages`,
    figure: `${made.toFixed(0)} s, in a process of its own`,
  },
  {
    what: 'its size, beside the central database',
    figure: `${megabytes(sizes.index)} beside ${megabytes(sizes.database)}`,
  },
];

const budget = { p95: 100 };
const loop = monitorEventLoopDelay({ resolution: 1 });
const kinds: readonly (readonly [string, Looking, Partial<Wish>])[] = [
  ['a rare word, everywhere', {}, { words: rare }],
  ['the most common word, everywhere', {}, { words: 'w1' }],
  ['the most common word, in a chat of half of it all', { sessionId: busy }, { words: 'w1' }],
  ['the most common word, in a chat of few', { sessionId: quiet }, { words: 'w1' }],
  ['two words that seldom meet', { sessionId: busy }, { words: 'w40 w900' }],
  ['three common words', { sessionId: busy }, { words: 'w1 w2 w3' }],
  ['a phrase of common words', { sessionId: busy }, { words: '"w1 w2 w3"' }],
  ['a beginning of three letters', { sessionId: busy }, { words: 'w12*' }],
  ['a person', { sessionId: quiet }, { person: 'Person 7' }],
  ['a person who is nobody', { sessionId: busy }, { words: 'w1', person: 'Nobody' }],
  ['a common word, in a month long ago', { sessionId: busy }, { words: 'w1', from: '2024-03-01', to: '2024-03-31' }],
  ['nothing that was ever said', { sessionId: busy }, { words: 'zzz' }],
];
loop.enable();
for (const [what, looking, wish] of kinds) {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) samples.push((await ask(history, looking, wish)).ms);
  rows.push(distribution(what, samples, budget));
}
loop.disable();
rows.push({ what: 'the host’s event loop meanwhile', figure: `${(loop.percentile(99) / 1e6).toFixed(1)} ms (p99)` });

const cold: number[] = [];
for (let round = 0; round < 5; round += 1) {
  await history.stop();
  history = createHistory({ db, paths, log });
  cold.push((await ask(history, { sessionId: busy }, { words: rare })).ms);
}
rows.push(distribution('the first search after a rest: a process starts', cold, {}));
await history.stop();

process.stdout.write(`${table(rows)}\n`);
if (values.write) {
  const page = join(CODE, 'docs/performance.md');
  const section = `<!-- history -->
## Searching in what was said

Made by \`npm run bench:history -- --messages ${messages} --write\`: half of the messages in one chat, the others in a thousand, in words that
are as common and as rare as those of a language. As the host sees it, with the way to the process that searches and back.

| what | figure | budget | |
|---|---|---|---|
${markdownRows(rows)}
<!-- /history -->
`;
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), 'history', section));
}
rmSync(root, { recursive: true, force: true });
process.exit(rows.some((row) => row.missed) ? 1 : 0);
