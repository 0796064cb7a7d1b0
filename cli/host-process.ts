import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { NanoError } from '../src/errors.ts';
import { pathsFor } from '../src/paths.ts';
import { isAlive } from '../src/processes.ts';
import { Running } from './answers.ts';
import type { ClientContext } from './definition.ts';
import { readLeaseHolder } from './lease-holder.ts';
import { lastLines } from './tail.ts';

const START_MS = 60_000;
const POLL_MS = 20;

/** The running host's report; undefined when there is none. */
export async function findHost(context: ClientContext): Promise<Running | undefined> {
  try {
    const report = Running.safeParse((await context.ask('status')).data);
    if (!report.success) throw new NanoError('NC_HOST_DIFFERS');
    return report.data;
  } catch (error) {
    if (error instanceof NanoError && (error.code === 'NC_NO_HOST' || error.code === 'NC_DISCONNECTED'))
      return undefined;
    throw error;
  }
}

/**
 * Starts a host, by its service or of its own session, and waits until it answers. Throws NC_DISK_FULL, or NC_HOST_START
 * with its last lines.
 */
export async function startHost(context: ClientContext): Promise<Running> {
  try {
    return await startAny(context);
  } catch (error) {
    throw (await import('./room.ts')).orNoRoom(context.home, error);
  }
}

async function startAny(context: ClientContext): Promise<Running> {
  const supervised = await (await import('../setup/service/index.ts')).startSupervised(context);
  if (supervised) return supervised;
  const { logs } = pathsFor(context.home);
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const output = join(logs, 'host.out.log');
  if (statSync(output, { throwIfNoEntry: false })?.size) renameSync(output, `${output}.1`);
  const descriptor = openSync(output, 'a', 0o600);
  const child = spawnHost(context.root, ['ignore', descriptor, descriptor]);
  closeSync(descriptor);
  child.unref();
  let end: string | undefined;
  child.on('error', (error) => {
    end = error.message;
  });
  child.on('exit', (code, signal) => {
    end = signal ? `It was ended by ${signal}.` : `It ended with status ${code}.`;
  });
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(POLL_MS)) {
    const report = await findHost(context);
    // Also when it is another one, which was quicker by a moment.
    if (report) return report;
    if (end !== undefined && readLeaseHolder(context.home) === undefined)
      throw new NanoError('NC_HOST_START', `${end}\n${lastLines(output, 10).join('\n')}`.trimEnd());
  }
  throw new NanoError(
    'NC_HOST_START',
    `It has not answered for ${START_MS / 1000} seconds; its process id is ${child.pid}.`,
  );
}

/** Runs the host in this terminal until it ends. Resolves with its exit status. */
export function runInForeground(root: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawnHost(root, 'inherit', { NANOCLAW_FOREGROUND: '1' });
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    // A terminal's Ctrl+C reaches the host by itself; this process must only outlive it.
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('exit', (code) => {
      process.off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}

/**
 * Node's own flags for a host: the system's certificates, a small nursery, which keeps 10 MB less and costs nothing at a
 * host's rate of work, and one thread of V8's own, 1 MB less.
 */
export const HOST_FLAGS = ['--use-system-ca', '--max-semi-space-size=1', '--v8-pool-size=1'];

type HostOutput = 'inherit' | ['ignore', number, number];

function spawnHost(root: string, stdio: HostOutput, more: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [...HOST_FLAGS, join(root, 'src', 'index.ts')], {
    cwd: root,
    env: { ...process.env, ...more },
    stdio,
    detached: stdio !== 'inherit',
  });
}

/** Resolves true when the process is gone (or waits, dead, for its parent), false after `timeoutMs`. */
export async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (runs(pid)) {
    if (Date.now() >= deadline) return false;
    await wait(POLL_MS);
  }
  return true;
}

function runs(pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its last thread is what closes its files.
    return stat[stat.lastIndexOf(')') + 2] !== 'Z' || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    // No /proc here, or it ended just now: the next look knows.
    return true;
  }
}
