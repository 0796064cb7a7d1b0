import { NanoError } from '../../src/errors.ts';
import { printable } from '../../src/log/printable.ts';
import type { Running } from '../answers.ts';
import type { ClientCommand, ClientContext } from '../definition.ts';

export const start: ClientCommand = {
  name: 'start',
  summary: 'Start the host in the background',
  flags: [{ name: 'foreground', description: 'run it in this terminal until it ends' }],
  place: 'client',
  async run(args, context) {
    const { findHost, runInForeground, startHost } = await import('../host-process.ts');
    const running = await findHost(context);
    if (running && args.foreground) throw new NanoError('NC_HOST_RUNNING', `Its process id is ${running.pid}.`);
    if (running) {
      const { unattended } = await import('../../setup/service/status.ts');
      const trouble = await unattended(context);
      if (trouble) context.screen.err(`Its service does not look after it: ${trouble}.`);
      return tell(context, running, false);
    }
    if (args.foreground) {
      (await import('../../setup/service/index.ts')).refuseOutside(context);
      return runInForeground(context.root);
    }
    return tell(context, await startHost(context), true);
  },
};

function tell({ screen, json }: ClientContext, { pid, trouble }: Running, started: boolean): number {
  // It runs all the same: what is wrong there is mended beside it.
  if (trouble) screen.err(`${printable(trouble)} \`ncl doctor\` says what to do.`);
  if (json) screen.out(JSON.stringify({ pid, started }));
  else screen.out(started ? `The host is running (pid ${pid}).` : `The host is running already (pid ${pid}).`);
  return 0;
}
