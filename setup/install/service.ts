import { kill } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { ncl, parseJson, run } from './command.ts';
import { StepFailure } from './failure.ts';
import type { Options } from './options.ts';
import { type StepLog, type Steps, say } from './steps.ts';

const Installed = z.object({
  changed: z.boolean(),
  name: z.string(),
  kind: z.string(),
  pid: z.number(),
  notes: z.array(z.string()),
});
const Status = z.object({ installed: z.boolean() });
const Running = z.object({ pid: z.number() });

const BACK_MS = 30_000;
const POLL_MS = 50;

/** Asks where somebody is there to be asked, and the host has no service yet. */
export async function offerService(steps: Steps, options: Options, ask: boolean): Promise<void> {
  const wanted = options.service || (ask && !(await isInstalled()) && (await askForIt()));
  if (wanted) await installService(steps);
}

async function isInstalled(): Promise<boolean> {
  const { installed } = await ncl(['service', 'status'], Status, { write: () => undefined });
  return installed;
}

async function askForIt(): Promise<boolean> {
  return (await import('./questions.ts')).askService();
}

/** A service that is new is tried: the host is killed once, and must come back by itself. */
async function installService(steps: Steps): Promise<void> {
  const notes = await steps.run('service', async (log) => {
    const { changed, kind, pid, notes } = await ncl(['service', 'install'], Installed, log);
    if (!changed) return { detail: `${kind}; as it was`, value: notes };
    const ms = await killOnce(pid, log);
    return { detail: `${kind}; killed once, it was back after ${(ms / 1000).toFixed(1)} s`, value: notes };
  });
  for (const note of notes) say(`    ${note}`);
}

/** Resolves with the milliseconds until another host answered. */
async function killOnce(pid: number, log: StepLog): Promise<number> {
  const killed = performance.now();
  kill(pid, 'SIGKILL');
  for (; performance.now() - killed < BACK_MS; await wait(POLL_MS)) {
    // Not by ncl(): in between, that there is no host is what it should say.
    const { status, stdout } = await run(['bin/ncl', 'status', '--json'], log);
    const report = Running.safeParse(parseJson(stdout));
    if (status === 0 && report.success && report.data.pid !== pid) return performance.now() - killed;
  }
  throw new StepFailure(
    `The host was killed to try its service, and did not come back within ${BACK_MS / 1000} s.`,
    '`bin/ncl service status` says how it is; `bin/ncl restart` starts it.',
  );
}
