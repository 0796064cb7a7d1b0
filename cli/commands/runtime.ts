import { type ClientCommand, textOf } from '../definition.ts';

/** What sandboxes are started with: settings of the machine's owner. */

export const runtime: ClientCommand = {
  name: 'runtime',
  summary: 'What can start sandboxes on this machine (bubblewrap, docker, podman), why not, and which does',
  place: 'client',
  run: async (_args, context) => (await import('../runtime/list.ts')).listRuntimes(context),
};

export const runtimeUse: ClientCommand = {
  name: 'runtime use',
  summary: 'Start sandboxes with another runtime from now on; what runs goes on, and moves at its next start',
  positionals: [{ name: 'runtime', description: 'bubblewrap, docker or podman', required: true }],
  flags: [{ name: 'force', description: 'also when it can start none now' }],
  place: 'client',
  run: async (args, context) =>
    (await import('../runtime/use.ts')).useRuntime(textOf(args, 'runtime') ?? '', args.force === true, context),
};
