import { z } from 'zod';
import { NanoError } from '../../errors.ts';
import { type ClientCommand, type ClientContext, hostCommand } from '../definition.ts';
import { waitForEnd } from '../host-process.ts';
import { readLeaseHolder } from '../lease-holder.ts';

/** Sandboxes have 10 s to end, and the host some more to settle what they left. */
const STOP_MS = 30_000;
const KILL_MS = 5000;
const Stopping = z.object({ pid: z.number() });

export const stopHost = hostCommand({
  name: 'stop-host',
  summary: 'Ask the host to shut down',
  hidden: true,
  answer: Stopping,
  handle(view) {
    // A moment later, so that this answer is out before the host closes its sockets.
    setTimeout(() => view.stop(), 20);
    return { ok: true, data: { pid: process.pid } };
  },
  show: ({ pid }) => `The host is stopping (pid ${pid}).`,
});

export const stop: ClientCommand = {
  name: 'stop',
  summary: 'Stop the host and its sandboxes; unsettled messages go on at the next start',
  flags: [{ name: 'force', description: 'kill the host if it does not answer or does not stop' }],
  place: 'client',
  async run(args, context) {
    const said = await stopRunningHost(context, args.force === true);
    if (context.json) context.screen.out(JSON.stringify({ stopped: said }));
    else
      context.screen.out(
        said === 'none' ? 'No host was running.' : said === 'killed' ? 'The host was killed.' : 'The host has stopped.',
      );
    return 0;
  },
};

/** Throws NC_HOST_SILENT or NC_HOST_STOP when it does not end by itself and `force` is off. */
export async function stopRunningHost(context: ClientContext, force: boolean): Promise<'none' | 'stopped' | 'killed'> {
  try {
    const { pid } = Stopping.parse(await context.ask('stop-host'));
    if (await waitForEnd(pid, STOP_MS)) return 'stopped';
    if (!force) throw new NanoError('NC_HOST_STOP', `Its process id is ${pid}.`);
  } catch (error) {
    const code = error instanceof NanoError ? error.code : undefined;
    const holder = readLeaseHolder(context.root);
    if (code === 'NC_NO_HOST' && holder === undefined) return 'none';
    if (code === 'NC_DISCONNECTED' && holder !== undefined && (await waitForEnd(holder, STOP_MS))) return 'stopped';
    if (!force) throw code === 'NC_NO_HOST' ? new NanoError('NC_HOST_SILENT', `Its process id is ${holder}.`) : error;
  }
  const holder = readLeaseHolder(context.root);
  if (holder === undefined) return 'stopped';
  context.screen.err(
    `Killing the host (pid ${holder}): its sandboxes die with it, and nothing that was accepted is lost.`,
  );
  process.kill(holder, 'SIGKILL');
  if (!(await waitForEnd(holder, KILL_MS))) throw new NanoError('NC_HOST_STOP', `Its process id is ${holder}.`);
  return 'killed';
}
