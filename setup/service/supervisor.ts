import { spawn } from 'node:child_process';
import { readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { waitForEnd } from '../../cli/host-process.ts';
import { NanoError } from '../../src/errors.ts';
import { chooseBootHook } from './boot-hook.ts';
import type { Look, Manager } from './manager.ts';
import type { Plan } from './plan.ts';
import { serviceFolder } from './starts.ts';
import { SUPERVISOR, supervisorScript } from './supervisor-script.ts';

const START_MS = 10_000;
const STOP_MS = 60_000;
const POLL_MS = 20;

/** supervise.sh, for machines without a service manager of their own. */
export function createSupervisor(plan: Plan): Manager {
  const folder = serviceFolder(plan.home);
  const file = join(folder, `${plan.name}.sh`);
  const hook = chooseBootHook(plan.name, file);
  return {
    label: SUPERVISOR,
    file,
    mode: 0o700,
    text: supervisorScript(plan),
    enable: () => hook.add(),
    disable: () => hook.remove(),
    async forget() {
      for (const name of ['supervisor.lock', 'supervisor.pid']) rmSync(join(folder, name), { force: true });
    },
    async start() {
      if (findSupervisor(plan).running) return;
      // Of a session of its own: it outlives this terminal.
      const child = spawn('/bin/sh', [file], { cwd: plan.home, detached: true, stdio: 'ignore' });
      child.unref();
      for (const deadline = Date.now() + START_MS; !findSupervisor(plan).running; await wait(POLL_MS)) {
        if (Date.now() > deadline || child.exitCode !== null)
          throw new NanoError(
            'NC_SERVICE',
            `It did not start; ${join(plan.home, 'logs', 'supervisor.log')} may say why.`,
          );
      }
    },
    async stop() {
      const pid = findSupervisor(plan).supervisor;
      if (pid === undefined) return;
      process.kill(pid, 'SIGTERM');
      if (!(await waitForEnd(pid, STOP_MS)))
        throw new NanoError('NC_SERVICE', `Process ${pid} goes on, ${STOP_MS / 1000} s after it was told to stop.`);
    },
    look: async () => findSupervisor(plan),
    survives: async () => ({
      logout: { holds: true, how: 'it belongs to no login' },
      reboot: await hook.survives(),
    }),
  };
}

/** Removes the folder when nothing is left in it: an edited file that was kept aside stays. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}

function findSupervisor({ home }: Plan): Look & { supervisor?: number } {
  const [supervisor = 0, pid = 0] = readText(join(serviceFolder(home), 'supervisor.pid'))
    .split(/\s/)
    .map(Number);
  // A pid is used again: the process must be one that runs the supervisor, for this home.
  const words = supervisor > 0 ? readText(`/proc/${supervisor}/cmdline`).split('\0') : [];
  const isIt = words.some((word) => word.endsWith('/supervise.sh')) && words.includes(home);
  return isIt ? { running: true, supervisor, ...(pid > 0 && { pid }) } : { running: false };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there (any more) is an answer.
    return '';
  }
}
