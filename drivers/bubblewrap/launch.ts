/** Starts one bwrap, puts it into its limits before anything of the agent's runs, and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { faultPoint } from '../../protocol/fault.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import type { Sandbox, SandboxExit } from '../../src/sandbox/driver.ts';
import { hostUid } from '../host-uid.ts';
import { captureOutput } from '../output-log.ts';
import { within } from '../within.ts';
import { FD } from './arguments.ts';
import { closingDescriptors } from './inherited.ts';
import type { LimitGroup } from './limits/index.ts';
import { children, identify, isAlive, type ProcessId, signal } from './processes.ts';

export interface Launch {
  sessionId: string;
  /** All of it, from the first executable on. */
  commandLine: readonly string[];
  innerArguments: readonly string[];
  /** Null: there is one stage only. */
  outerArguments: readonly string[] | null;
  /** The uid that the first executable gets; null keeps the host's. */
  spawnUid: number | null;
  seccompFile: string | null;
  inherited: readonly number[];
  logFile: string;
  group: LimitGroup;
  /** Why what is mounted isn't what was meant, or null; by a process inside, before it runs anything of the agent's. */
  refuse(pid: number): string | null;
  /** Until the first process inside is there. */
  timeoutMs: number;
}

export interface Launched extends Sandbox {
  /** As the host sees the sandbox's first process; null if that can't be read. */
  readonly uid: number | null;
}

const statusLine = z
  .string()
  .transform((line, context): unknown => {
    try {
      return JSON.parse(line);
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(z.object({ 'child-pid': z.number().optional(), 'exit-code': z.number().optional() }));
const POLL_MS = 2;
const MAX_STATUS = 4096;

/** Rejects with NC_SANDBOX_START and leaves nothing behind when the sandbox can't be built. */
export async function launch(plan: Launch): Promise<Launched> {
  const deadline = performance.now() + plan.timeoutMs;
  const child = await spawnBwrap(plan);
  const output = captureOutput([readable(child, 1), readable(child, 2)], plan.logFile);
  const status = readStatus(readable(child, FD.status));
  const ended = once(child, 'close').catch((error: unknown) => output.add(errorText(error)));
  let running = true;
  let first: ProcessId | null = null;
  void ended.then(() => {
    running = false;
  });
  const fail = async (why: string): Promise<never> => {
    const known = first ?? (status.child === null ? null : identify(status.child));
    if (known) signal(known, 'SIGKILL');
    child.kill('SIGKILL');
    await ended;
    if (known) await gone(known);
    await output.drained;
    await plan.group.release();
    throw new NanoError('NC_SANDBOX_START', [why, ...output.lastLines()].filter(Boolean).join('\n'));
  };

  send(child, FD.innerArguments, nulEnded(plan.innerArguments));
  if (plan.outerArguments) send(child, FD.outerArguments, nulEnded(plan.outerArguments));
  faultPoint('sandbox.building');
  await within(plan.timeoutMs, Promise.race([status.started, ended]));
  while (running && status.child !== null && !first && performance.now() < deadline) {
    first = firstProcess(plan, status.child);
    if (!first) await delay(POLL_MS);
  }
  if (!first) return fail(running ? `No answer from bwrap within ${plan.timeoutMs} ms.` : '');
  const uid = hostUid(first.pid);
  plan.group.enter(first);
  send(child, FD.gate, 'x');
  // From here on it builds its root and starts what waits for the host's word; a refusal is bwrap's own last words.
  while (running && children(first.pid).length === 0) {
    if (performance.now() > deadline) return fail('The command was not started in time.');
    await delay(POLL_MS);
  }
  const refused = running ? plan.refuse(first.pid) : null;
  if (refused) return fail(refused);
  send(child, FD.go, 'go\n');
  await (running ? undefined : output.drained);
  if (!running && status.code() !== 0 && output.lastLines().at(-1)?.startsWith('bwrap: ')) return fail('');
  return handle(plan, { child, first, ended, output, code: status.code, uid });
}

async function spawnBwrap(plan: Launch): Promise<ChildProcess> {
  const [file = '', ...args] = closingDescriptors(plan.inherited, [...plan.group.prefix, ...plan.commandLine]);
  const seccomp = plan.seccompFile === null ? null : openSync(plan.seccompFile, 'r');
  try {
    return spawn(file, args, {
      // bwrap stays as PID 1 inside, and with it what it was started with: nothing of the host's environment or folder.
      env: plan.group.env,
      cwd: '/',
      // Ctrl-C at the host's terminal is for the host alone, which then stops its sandboxes in order.
      detached: true,
      ...(plan.spawnUid === null ? {} : { uid: plan.spawnUid, gid: plan.spawnUid }),
      stdio: [
        'ignore',
        'pipe',
        'pipe',
        'pipe',
        seccomp ?? 'ignore',
        'pipe',
        'pipe',
        plan.outerArguments ? 'pipe' : 'ignore',
        'pipe',
      ],
    });
  } catch (error) {
    await plan.group.release();
    throw new NanoError('NC_SANDBOX_START', errorText(error), { cause: error });
  } finally {
    if (seccomp !== null) closeSync(seccomp);
  }
}

function readable(child: ChildProcess, fd: number): Readable {
  const pipe = child.stdio[fd];
  return pipe instanceof Readable ? pipe : Readable.from([]);
}

interface Running {
  child: ChildProcess;
  first: ProcessId;
  ended: Promise<unknown>;
  output: ReturnType<typeof captureOutput>;
  code: () => number | null;
  uid: number | null;
}

function handle(plan: Launch, { child, first, ended, output, code, uid }: Running): Launched {
  let killed = false;
  const exited = (async (): Promise<SandboxExit> => {
    await ended;
    await gone(first);
    await output.drained;
    await plan.group.release();
    const outOfMemory = plan.group.isOutOfMemory();
    return { code: killed ? null : code(), outOfMemory, lastLines: output.lastLines() };
  })();
  let stopping: Promise<SandboxExit> | undefined;
  const stop = async (graceMs: number): Promise<SandboxExit> => {
    // The command is the first child of the sandbox's PID 1, which itself ignores what comes from outside but SIGKILL.
    const command = identify(children(first.pid)[0] ?? 0);
    if (command && graceMs > 0) {
      signal(command, 'SIGTERM');
      await within(graceMs, exited);
    }
    if (child.exitCode === null && child.signalCode === null) {
      killed = true;
      signal(first, 'SIGKILL');
      child.kill('SIGKILL');
    }
    return exited;
  };
  return {
    sessionId: plan.sessionId,
    uid,
    exited,
    stop(graceMs) {
      stopping ??= stop(graceMs);
      return stopping;
    },
  };
}

/** Ends it for certain. bwrap ends before the namespace's PID 1 does; with that one everything in it is gone. */
export async function gone(first: ProcessId): Promise<void> {
  while (isAlive(first)) {
    signal(first, 'SIGKILL');
    await delay(POLL_MS);
  }
}

const nulEnded = (args: readonly string[]): string => args.map((arg) => `${arg}\0`).join('');

function send(child: ChildProcess, fd: number, text: string): void {
  const pipe = child.stdio[fd];
  if (!(pipe instanceof Writable)) return;
  pipe.on('error', () => undefined); // EPIPE: it ended meanwhile, and that is reported by its end
  pipe.end(text);
}

/**
 * The sandbox's PID 1 as the host counts. With two stages it is the first one that tells of its child; from there on the way
 * is followed: the namespace's PID 1, the second stage, its PID 1. Null: it isn't there yet.
 */
function firstProcess(plan: Launch, told: number): ProcessId | null {
  const pid = plan.outerArguments ? [1, 2].reduce((parent) => children(parent)[0] ?? 0, told) : told;
  return identify(pid);
}

interface Status {
  /** The first process of what bwrap has started, as it tells. */
  readonly child: number | null;
  readonly started: Promise<void>;
  code(): number | null;
}

/** bwrap says {"child-pid"} when the first process is there, and {"exit-code"} at the end unless it was killed itself. */
function readStatus(pipe: Readable): Status {
  const { promise: started, resolve } = Promise.withResolvers<void>();
  let text = '';
  let child: number | null = null;
  let code: number | null = null;
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = (lines.pop() ?? '').slice(-MAX_STATUS);
    for (const line of lines) {
      const said = statusLine.safeParse(line).data;
      code ??= said?.['exit-code'] ?? null;
      if (child !== null || said?.['child-pid'] === undefined) continue;
      child = said['child-pid'];
      resolve();
    }
  });
  return {
    get child() {
      return child;
    },
    started,
    code: () => code,
  };
}
