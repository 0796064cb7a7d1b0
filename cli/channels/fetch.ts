import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { NanoError } from '../../src/errors.ts';

/** Packages of others, by the URL of a git repository at one commit: what was read once is what runs. */

const run = promisify(execFile);
const SOURCE = /^git\+((?:https|ssh|file):\/\/[^#\s]+)#([0-9a-f]{40})$/;
const FETCH_MS = 120_000;

export function isGitSource(given: string): boolean {
  return given.startsWith('git+');
}

interface Commit {
  url: string;
  commit: string;
}

/** Throws NC_USAGE. */
export function commitIn(given: string): Commit {
  const [, url, commit] = SOURCE.exec(given) ?? [];
  if (url && commit) return { url, commit };
  throw new NanoError('NC_USAGE', 'Write it as git+https://…#<commit>, with all 40 characters of the commit.');
}

/** Resolves with its folder, which stays. Throws NC_CHANNEL. */
export async function fetchPackage(data: string, { url, commit }: Commit): Promise<string> {
  const folder = join(data, 'channel-packages', commit);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const git = (...args: string[]) =>
    run('git', ['-c', 'core.hooksPath=/dev/null', ...args], {
      timeout: FETCH_MS,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, GIT_TERMINAL_PROMPT: '0' },
    });
  try {
    await git('init', '-q', part);
    await git('-C', part, 'fetch', '-q', '--depth=1', url, commit);
    await git('-C', part, 'checkout', '-q', '--detach', commit);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : '';
    throw new NanoError('NC_CHANNEL', `That commit could not be fetched: ${said || 'git says nothing more'}.`);
  }
  renameSync(part, folder);
  return folder;
}

/** What it depends on, from its own lockfile and without scripts. Throws NC_CHANNEL. */
export async function installOwnPackages(root: string, folder: string): Promise<void> {
  const flags = ['install', '--prod', '--frozen-lockfile', '--ignore-scripts', '--ignore-workspace'];
  // In the checkout, so that removing it removes all.
  const runtime = join(root, '.runtime');
  const places = ['--store-dir', join(runtime, 'store'), `--config.cache-dir=${join(runtime, 'cache')}`];
  const path = `${join(root, '.runtime/bin')}:${process.env.PATH ?? ''}`;
  await run(join(root, '.runtime/bin/pnpm'), [...flags, ...places], {
    cwd: folder,
    timeout: 10 * FETCH_MS,
    env: { PATH: path, HOME: process.env.HOME, PNPM_HOME: join(runtime, 'pnpm-home'), CI: 'true' },
  }).catch((error: unknown) => {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout).trim().split('\n').at(-1) : '';
    throw new NanoError('NC_CHANNEL', `Its packages could not be installed from its lockfile: ${said}.`);
  });
}
