import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { DriverName } from '../../drivers/names.ts';
import type { ClientContext } from '../definition.ts';

const Report = z.object({ driver: z.string(), sessions: z.object({ running: z.number() }) });
export type HostRuntime = z.infer<typeof Report>;

/** A host looks at `.env` whenever it needs it; what became shorter it believes a moment later. */
const TAKEN_UP_MS = 3_000;
const POLL_MS = 50;

/** Undefined: none runs, or none that says. */
export async function runningDriver(context: ClientContext): Promise<HostRuntime | undefined> {
  try {
    return Report.safeParse((await context.ask('status')).data).data;
  } catch {
    // What is wrong with a host is said by `ncl status`; which runtimes there are doesn't depend on it.
    return undefined;
  }
}

/** What the running host has once it had time to take up a change. */
export async function takenUp(context: ClientContext, name: DriverName): Promise<HostRuntime | undefined> {
  for (const end = performance.now() + TAKEN_UP_MS; ; await wait(POLL_MS)) {
    const report = await runningDriver(context);
    if (!report || report.driver === name || performance.now() > end) return report;
  }
}
