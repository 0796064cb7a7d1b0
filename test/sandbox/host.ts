/** What the sandbox suites share: a driver in a temporary folder, folders that belong to the sandbox's uid, a deadline. */
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mount, SandboxDriver, SandboxLimits, SandboxSpec } from '../../src/sandbox/driver.ts';
import { readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';

export const MiB = 1024 * 1024;
export const LIMITS: SandboxLimits = { memoryBytes: 512 * MiB, cpus: 1, pids: 64, fileSizeBytes: 64 * MiB };
export const isRoot = process.geteuid?.() === 0;
export const bun = realpathSync(path.join(import.meta.dirname, '../../.runtime/bin/bun'));

export interface Place {
  /** 0700 and root's own on a root host: no other user reaches what lies in it. */
  root: string;
  slug: string;
  uid: number;
  /** A folder that the sandbox may write when it is mounted so. */
  writable(name: string): string;
  readable(name: string): string;
  spec(sessionId: string, script: string, more?: Partial<SandboxSpec>): SandboxSpec;
  remove(): void;
}

export function makePlace(parent = os.tmpdir()): Place {
  const root = realpathSync(mkdtempSync(path.join(parent, 'nanoclaw-sandbox-')));
  return placeAt(root, path.basename(root).slice('nanoclaw-sandbox-'.length).toLowerCase());
}

export function placeAt(root: string, slug: string): Place {
  const uid = isRoot ? sandboxUid(slug, 1, readUidMap()) : (process.geteuid?.() ?? 0);
  const folder = (name: string): string => {
    const made = path.join(root, name);
    mkdirSync(made, { recursive: true, mode: 0o755 });
    return made;
  };
  return {
    root,
    slug,
    uid,
    readable: folder,
    writable(name) {
      const made = folder(name);
      if (isRoot) chownSync(made, uid, uid);
      return made;
    },
    spec: (sessionId, script, more = {}) => ({
      sessionId,
      uid,
      command: ['/bin/sh', '-c', script],
      env: { PATH: '/usr/bin:/bin' },
      mounts: [],
      limits: LIMITS,
      logFile: path.join(root, `${sessionId}.log`),
      ...more,
    }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs a script to its end and gives what it printed. */
export async function run(driver: SandboxDriver, spec: SandboxSpec) {
  const sandbox = await driver.start(spec);
  const exit = await sandbox.exited;
  return { ...exit, output: existsSync(spec.logFile) ? readFileSync(spec.logFile, 'utf8') : '' };
}

/** How many processes on this machine are what `isOne` says, by their command lines. */
export function processes(isOne: (words: readonly string[]) => boolean): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return isOne(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'));
    } catch {
      return false; // ended meanwhile
    }
  }).length;
}

/** How many `sleep <mark>` run on this machine. */
export const processesWith = (mark: string): number =>
  processes(([program, argument]) => program === 'sleep' && argument === mark);

export const bunMount: Mount = { source: bun, target: '/opt/bun', mode: 'ro' };

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(10);
  }
}
