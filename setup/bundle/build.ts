/**
 * Run by Bun: `build.ts <checkout> <build>` fills that folder with the host's bundle, docs/decisions/0016. The text of the modules
 * stays as it is but for their own place, which stays that of the source; packages of channels and providers stay outside.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inputAt, LISTED, type Manifest, namesIn } from './manifest.ts';
import { toSourceLines } from './source-lines.ts';

/** Packages of the trunk that become part of it; all others are found as they would be without it. */
const INSIDE = /^(@nanoclaw\/|zod(\/|$)|croner$)/;
/** What it depends on beside what it holds. */
const MEANT = [
  'pnpm-lock.yaml',
  'node_modules/.pnpm/lock.yaml',
  'protocol/package.json',
  'vault/package.json',
  ...['build.ts', 'manifest.ts', 'source-lines.ts'].map((name) => `setup/bundle/${name}`),
];
/** What a channel from elsewhere may want of the trunk, and what is loaded by a path made at run time. */
const ENTRIES = ['src/start.ts', 'src/errors.ts', 'protocol/index.ts', 'cli/commands/index.ts'];

const [root = '', build = ''] = process.argv.slice(2);
const listed = Object.fromEntries(LISTED.map((folder) => [folder, namesIn(join(root, folder))]));
const candidates = [
  ...ENTRIES,
  ...(listed.channels ?? []).flatMap((name) => [`channels/${name}/index.ts`, `channels/${name}/manifest.ts`]),
  ...(listed.providers ?? []).map((name) => `providers/${name}/host.ts`),
];
const sources = candidates.filter((path) => existsSync(join(root, path)));
// As they are before they are read: a change in between makes it stale. Also those that aren't there, and may come.
const inputs = new Map([...MEANT, ...candidates].map((path) => [path, inputAt(root, path)]));

const made = await Bun.build({
  entrypoints: sources.map((path) => join(root, path)),
  root,
  outdir: build,
  target: 'node',
  format: 'esm',
  splitting: true,
  sourcemap: 'external',
  naming: { entry: '[dir]/[name].[ext]', chunk: 'chunk-[hash].[ext]' },
  plugins: [
    {
      name: 'as it is',
      setup(on) {
        on.onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
          if (path.startsWith('node:') || path.startsWith('/') || INSIDE.test(path)) return undefined;
          return { path: `from:${relative(root, importer)}!${path}`, external: true };
        });
        on.onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) => {
          const below = relative(root, path);
          if (!inputs.has(below)) inputs.set(below, inputAt(root, below));
          if (path.includes('/node_modules/')) return undefined;
          return { contents: inPlace(readFileSync(path, 'utf8'), path), loader: 'ts' };
        });
      },
    },
  ],
});
if (!made.success) throw new AggregateError(made.logs, 'The host can not be bundled.');

const outputs: Manifest['outputs'] = [];
for (const { path, kind } of made.outputs) {
  if (kind === 'sourcemap') writeLines(path);
  else outputs.push([relative(build, path), statSync(path).size]);
}
const entries = Object.fromEntries(sources.map((path) => [path, path.replace(/\.ts$/, '.js')]));
const manifest: Manifest = { root, entries, inputs: [...inputs.values()], outputs, listed };
writeFileSync(join(build, 'manifest.json'), JSON.stringify(manifest));

/** A module's own place is that of its source, wherever it stands in the bundle. */
function inPlace(text: string, path: string): string {
  return text
    .replaceAll('import.meta.dirname', () => JSON.stringify(dirname(path)))
    .replaceAll('import.meta.url', () => JSON.stringify(pathToFileURL(path).href));
}

/** What stacks need of a source map. Its paths are relative, to one folder or another. */
function writeLines(map: string): void {
  const { mappings, sources: paths }: { mappings: string; sources: string[] } = JSON.parse(readFileSync(map, 'utf8'));
  const below = paths.map((path) => path.replace(/^(\.\.\/)+/, ''));
  writeFileSync(map.replace(/\.map$/, '.lines.json'), JSON.stringify(toSourceLines(mappings, below)));
  rmSync(map);
}
