import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { BUILDS, type Manifest, readFresh } from './manifest.ts';
import { isInUse, noteUse, openList } from './users.ts';

/** Makes the host's bundle, for this process and those after it. */

const LONGEST_BUILD_MS = 30_000;
/** Somebody may just be making it, or has just found it and not yet said so. */
const YOUNG_MS = 60_000;
/** A compiled file of a build that is gone, for all that is known. */
const OLD_MS = 30 * 24 * 3600_000;

export interface Found {
  /** Its folder. */
  build: string;
  manifest: Manifest;
}

/** undefined: it can't be made. A line on stderr says why. */
export function makeBundle(root: string): Found | undefined {
  const builds = join(root, '.runtime', BUILDS);
  let build: string | undefined;
  try {
    mkdirSync(builds, { recursive: true });
    build = mkdtempSync(join(builds, 'build-'));
    openList(build);
    noteUse(build);
    runBun(root, build);
    const manifest = readFresh(root, build);
    if (!manifest) throw new Error('A source changed meanwhile.');
    toDisk(build, manifest);
    publish(builds, build);
    tidy(root, builds, build);
    return { build, manifest };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The host starts from its sources, which takes a moment longer: ${why}\n`);
    const begun = build;
    if (begun !== undefined) quietly(() => rmSync(begun, { recursive: true, force: true }));
    return undefined;
  }
}

/** With nothing of the host's environment, and in the checkout: Bun takes orders from both, and from its working folder. */
function runBun(root: string, build: string): void {
  const folder = join(root, 'setup', 'bundle');
  const bun = join(root, '.runtime', 'bin', 'bun');
  const made = spawnSync(bun, ['--no-env-file', join(folder, 'build.ts'), root, build], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
    timeout: LONGEST_BUILD_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (made.error) throw made.error;
  if (made.status === 0) return;
  const lines = made.stderr.trim().split('\n');
  throw new Error(lines.find((line) => /error/i.test(line)) ?? lines[0] ?? `Bun ended with status ${made.status}.`);
}

/** A power cut must not leave a link to what was never written. */
function toDisk(build: string, manifest: Manifest): void {
  for (const path of [...manifest.outputs.map(([output]) => output), 'manifest.json']) {
    const descriptor = openSync(join(build, path), 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

function publish(builds: string, build: string): void {
  const before = current(builds);
  const now = new Date();
  if (before !== undefined) quietly(() => utimesSync(join(builds, before), now, now));
  // A link is replaced whole: whoever starts meanwhile has the one or the other.
  const link = join(build, 'link');
  symlinkSync(basename(build), link);
  renameSync(link, join(builds, 'current'));
}

function current(builds: string): string | undefined {
  return quietly(() => readlinkSync(join(builds, 'current')));
}

/** Builds that no process uses any more, and what was compiled of them. What can't be removed stays. */
function tidy(root: string, builds: string, own: string): void {
  const kept = current(builds);
  for (const name of quietly(() => readdirSync(builds)) ?? []) {
    const build = join(builds, name);
    if (!name.startsWith('build-') || name === kept || build === own) continue;
    quietly(() => {
      if (isOlder(build, YOUNG_MS) && !isInUse(build)) rmSync(build, { recursive: true, force: true });
    });
  }
  const cache = join(root, '.runtime', 'compile-cache');
  for (const path of quietly(() => readdirSync(cache, { recursive: true, encoding: 'utf8' })) ?? []) {
    quietly(() => {
      const file = join(cache, path);
      if (statSync(file).isFile() && isOlder(file, OLD_MS)) rmSync(file);
    });
  }
}

function isOlder(path: string, ms: number): boolean {
  return statSync(path).mtimeMs < Date.now() - ms;
}

/** undefined: it could not be done, and need not be. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
