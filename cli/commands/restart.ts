import { readEnvFile } from '../../src/env.ts';
import { pathsFor } from '../../src/paths.ts';
import type { ClientCommand } from '../definition.ts';

export const restart: ClientCommand = {
  name: 'restart',
  summary: 'Stop the host if it runs, and start it',
  flags: [{ name: 'force', description: 'kill the host if it does not answer or does not stop' }],
  place: 'client',
  async run(args, context) {
    const { startHost } = await import('../host-process.ts');
    const { stopRunningHost } = await import('../stop-host.ts');
    // A good host stays when the next one could not start.
    readEnvFile(pathsFor(context.home).env);
    (await import('../room.ts')).refuseWithoutRoom(context.home);
    await stopRunningHost(context, args.force === true);
    const { pid } = await startHost(context);
    context.screen.out(context.json ? JSON.stringify({ pid, started: true }) : `The host is running (pid ${pid}).`);
    return 0;
  },
};
