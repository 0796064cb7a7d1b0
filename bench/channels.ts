import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listAvailable } from '../cli/channels/packages.ts';
import { CODE } from '../test/support/host-process.ts';
import { importMs, rssOf } from './channels/cost.ts';
import { hostPackages, packagesOf, sizeOf } from './packages.ts';

/**
 * What each channel adds to the host, once it is installed: packages, disk, time to load, memory. About two minutes;
 * `--write` keeps the table in docs/channels/README.md; `--only telegram` measures one.
 */

const PAGE = join(CODE, 'docs/channels/README.md');
const [BEGIN, END] = ['<!-- begin: written by bench/channels.ts -->', '<!-- end: what each adds -->'];

const given = process.argv.indexOf('--only');
const only = given === -1 ? undefined : process.argv[given + 1];
const host = hostPackages();
process.stderr.write('the host alone …\n');
const alone = await rssOf();
const rows = [['the host alone', `${host.size}`, megabytes(diskOf(host)), '', `${Math.round(alone ?? 0)} MB`]];

for (const { manifest, folder, installed } of await listAvailable(CODE)) {
  const { name, title } = manifest;
  if (only !== undefined && only !== name) continue;
  process.stderr.write(`${name} …\n`);
  if (!installed) {
    rows.push([title, 'not installed here', '', '', '']);
    continue;
  }
  const own = new Map([...packagesOf(folder)].filter(([one]) => !host.has(one)));
  const rss = await rssOf(name);
  rows.push([
    title,
    `+${own.size}`,
    `+${megabytes(diskOf(own) + sizeOf(folder))}`,
    `${Math.round(importMs(folder))} ms`,
    rss === undefined || alone === undefined ? 'not measured' : signed(rss - alone),
  ]);
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const head = ['', 'Packages', 'On disk', 'Time to load', 'Memory of the host, one account connected'];
const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
process.stdout.write(`${table}\n`);
if (process.argv.includes('--write')) {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to === -1) throw new Error(`${PAGE} has no place for the table.`);
  writeFileSync(PAGE, `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`);
}

function diskOf(packages: ReadonlyMap<string, string>): number {
  return [...packages.values()].reduce((sum, path) => sum + (path === '' ? 0 : sizeOf(path)), 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(Math.round(value))} MB`;
}
