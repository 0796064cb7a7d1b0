import { join, resolve } from 'node:path';
import { NanoError } from '../../errors.ts';
import { pathsFor } from '../../paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';

/** Relative to where the person is; this process is in the install's folder. */
const pathOf = (text: string) => resolve(process.env.PWD ?? '', text);

export const backup: ClientCommand = {
  name: 'backup',
  summary: 'Write a backup of database, agents and attachments, beside a running host or without one, and verify it',
  positionals: [{ name: 'file', description: 'a new file; in data/backups at first' }],
  flags: [{ name: 'with-secrets', description: 'take .env along, with its keys' }],
  place: 'client',
  async run(args, { home, screen, json }) {
    const { backup: write } = await import('../../../setup/backup/backup.ts');
    const paths = pathsFor(home);
    const given = textOf(args, 'file');
    const named = `nanoclaw-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.tar`;
    const made = await write(paths, given ? pathOf(given) : join(paths.backups, named), args['with-secrets'] === true);
    const { file, bytes, manifest, leftOut } = made;
    const rows = `${manifest.rows.messages} messages, ${manifest.rows.agent_groups} agents, ${manifest.rows.sessions} sessions`;
    if (json) screen.out(JSON.stringify(made));
    else {
      screen.out(`Verified: ${file}, ${(bytes / 1024 ** 2).toFixed(1)} MB: ${rows}.`);
      if (leftOut > 0) screen.out(`${leftOut} pipes or other special files of agents are not restored.`);
      screen.out(
        manifest.secrets ? 'It holds .env with its keys: keep it safe.' : 'It holds no keys: .env is not in it.',
      );
    }
    return 0;
  },
};

export const restore: ClientCommand = {
  name: 'restore',
  summary: 'Put a backup in the place of what is there, which is kept beside it; no host may run',
  positionals: [{ name: 'file', description: 'one that `ncl backup` has written', required: true }],
  place: 'client',
  async run(args, context) {
    const { home, screen, json } = context;
    const { findHost } = await import('../host-process.ts');
    const running = await findHost(context);
    if (running) throw new NanoError('NC_HOST_RUNNING', `Its process id is ${running.pid}.`);
    const { restore: put } = await import('../../../setup/backup/restore.ts');
    const { manifest, aside } = await put(pathsFor(home), pathOf(textOf(args, 'file') ?? ''));
    if (json) screen.out(JSON.stringify({ manifest, aside }));
    else {
      screen.out(`Restored: the state of ${manifest.createdAt}. What was there before is in ${aside}.`);
      screen.out('`ncl start` takes up what was open then. Replies of that time may come once more.');
    }
    return 0;
  },
};
