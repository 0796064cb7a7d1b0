import { type ClientCommand, hostCommand } from '../definition.ts';

export const stopHost = hostCommand({
  name: 'stop-host',
  summary: 'Ask the host to shut down',
  hidden: true,
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
    const { stopRunningHost } = await import('../stop-host.ts');
    const said = await stopRunningHost(context, args.force === true);
    if (context.json) context.screen.out(JSON.stringify({ stopped: said }));
    else
      context.screen.out(
        said === 'none' ? 'No host was running.' : said === 'killed' ? 'The host was killed.' : 'The host has stopped.',
      );
    return 0;
  },
};
