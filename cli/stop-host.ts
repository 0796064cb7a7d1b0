import { NanoError } from '../src/errors.ts';
import { Stopping } from './answers.ts';
import type { ClientContext } from './definition.ts';
import { waitForEnd } from './host-process.ts';
import { readLeaseHolder } from './lease-holder.ts';

/** Sandboxes have 10 s to end, and the host some more to settle what they left. */
const STOP_MS = 30_000;
const KILL_MS = 5000;
/** After which somebody who looks on wants to know what it is that takes so long. */
const SLOW_MS = 10_000;

type Stopped = 'none' | 'stopped' | 'killed';

/** Throws NC_HOST_SILENT or NC_HOST_STOP when it does not end by itself and `force` is off. */
export async function stopRunningHost(context: ClientContext, force: boolean): Promise<Stopped> {
  const said = await stopHostItself(context, force);
  // After the host, which ends in order then: a service that was about to start it again.
  const { stopSupervised } = await import('../setup/service/index.ts');
  return (await stopSupervised(context)) && said === 'none' ? 'stopped' : said;
}

async function stopHostItself(context: ClientContext, force: boolean): Promise<Stopped> {
  const pid = await askToStop(context);
  if (pid === undefined) return 'none';
  const slow = setTimeout(
    () => context.json || context.screen.err(`Still waiting for the host (pid ${pid}) and its sandboxes to end …`),
    SLOW_MS,
  );
  const ended = await waitForEnd(pid, STOP_MS);
  clearTimeout(slow);
  if (ended) return 'stopped';
  const detail = `Its process id is ${pid}.`;
  if (!force) throw new NanoError('NC_HOST_STOP', detail);
  context.screen.err(
    `Killing the host (pid ${pid}): its sandboxes die with it, and nothing that was accepted is lost.`,
  );
  process.kill(pid, 'SIGKILL');
  if (!(await waitForEnd(pid, KILL_MS))) throw new NanoError('NC_HOST_STOP', detail);
  return 'killed';
}

/** By its socket; by a signal to the lease's holder where that says nothing, as at boot or near the end. */
async function askToStop(context: ClientContext): Promise<number | undefined> {
  try {
    return Stopping.parse((await context.ask('stop-host')).data).pid;
  } catch (error) {
    const pid = readLeaseHolder(context.home);
    if (pid !== undefined) {
      if (error instanceof NanoError && error.code === 'NC_HOST_SILENT' && !context.json)
        context.screen.err(
          `The host runs but does not answer: its process ${pid} is told to end, and has ${STOP_MS / 1000} s …`,
        );
      process.kill(pid, 'SIGTERM');
      return pid;
    }
    if (error instanceof NanoError && (error.code === 'NC_NO_HOST' || error.code === 'NC_DISCONNECTED'))
      return undefined;
    throw error;
  }
}
