import type { ClientCommand } from '../definition.ts';

/** The work is in setup/service/: it is done rarely, and a host needs none of it. */
const work = () => import('../../setup/service/index.ts');

export const serviceInstall: ClientCommand = {
  name: 'service install',
  summary: 'Keep the host running: after a crash, a logout and a reboot, where this machine can',
  place: 'client',
  run: async (_args, context) => (await work()).install(context),
};

export const serviceUninstall: ClientCommand = {
  name: 'service uninstall',
  summary: 'Stop the host, and remove what keeps it running',
  flags: [{ name: 'force', description: 'also when its file was edited by hand, or the host has to be killed' }],
  place: 'client',
  run: async (args, context) => (await work()).uninstall(context, args.force === true),
};

export const serviceStatus: ClientCommand = {
  name: 'service status',
  summary: 'What keeps the host running, how it is, and what it survives; status 1 when it is not healthy',
  place: 'client',
  run: async (_args, context) => (await work()).status(context),
};
