import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Running } from '../../cli/answers.ts';
import type { ClientContext } from '../../cli/definition.ts';
import { findHost } from '../../cli/host-process.ts';
import { lastLines } from '../../cli/tail.ts';
import { NanoError } from '../../src/errors.ts';
import { findManager } from './choose.ts';
import type { Manager } from './manager.ts';
import { planFor } from './plan.ts';
import { forgetStarts, readStarts } from './starts.ts';

const ANSWER_MS = 60_000;
const BACK_MS = 20_000;
const POLL_MS = 50;

/** What keeps this install's host running; undefined when nothing is installed. */
export function installedService({ root, home }: ClientContext): Manager | undefined {
  return findManager(planFor(root, home));
}

/** Starts the host through its service, and waits until it answers. Undefined when none is installed. Throws NC_HOST_START. */
export async function startSupervised(context: ClientContext): Promise<Running | undefined> {
  const service = installedService(context);
  return service && start(service, context);
}

export async function start(service: Manager, context: ClientContext): Promise<Running> {
  // One that waits out a pause is not waited for.
  if (readStarts(context.home).pauseLeft > 0 && (await service.look()).running) await service.stop();
  forgetStarts(context.home);
  await service.start();
  for (const deadline = Date.now() + ANSWER_MS; Date.now() < deadline; await wait(POLL_MS)) {
    const report = await findHost(context);
    if (report) return report;
    if (readStarts(context.home).crashes > 0) throw new NanoError('NC_HOST_START', whyNot(context.home));
  }
  throw new NanoError(
    'NC_HOST_START',
    `It has not answered for ${ANSWER_MS / 1000} seconds. Its service goes on trying.`,
  );
}

/** Waits for a host that its service is starting again. False when nobody is. */
export async function comesBack(context: ClientContext): Promise<boolean> {
  const service = installedService(context);
  if (!service || !(await service.look()).running) return false;
  if (!context.json) context.screen.err('The host is being started again; waiting for it …');
  for (const deadline = Date.now() + BACK_MS; Date.now() < deadline; await wait(POLL_MS)) {
    if (await findHost(context)) return true;
    if (readStarts(context.home).pauseLeft * 1000 > BACK_MS) return false;
  }
  return false;
}

/** After the host itself was told to stop: nothing starts it again. True when there was something to stop. */
export async function stopSupervised(context: ClientContext): Promise<boolean> {
  const service = installedService(context);
  if (!service || !(await service.look()).running) return false;
  await service.stop();
  forgetStarts(context.home);
  return true;
}

/** The service that keeps a host running, also while that one is down for a moment; undefined when none does. */
export async function keptRunningBy(context: ClientContext): Promise<string | undefined> {
  const service = installedService(context);
  return service && (await service.look()).running ? service.label : undefined;
}

/** Throws NC_SERVICE when a service is installed: a host beside it would be restarted by nobody. */
export function refuseOutside(context: ClientContext): void {
  const service = installedService(context);
  if (service)
    throw new NanoError(
      'NC_SERVICE',
      `A host in this terminal would be outside of it (${service.label}): \`ncl start\`.`,
    );
}

function whyNot(home: string): string {
  const lines = lastLines(join(home, 'logs', 'host.out.log'), 10);
  return ['Its service goes on trying.', ...lines].join('\n');
}
