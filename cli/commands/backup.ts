import type { ClientCommand } from '../definition.ts';

export const backup: ClientCommand = {
  name: 'backup',
  summary:
    'Write a backup of database, agents, channels and attachments, beside a running host or without one, and verify it',
  positionals: [{ name: 'file', description: 'a new file; in data/backups at first' }],
  flags: [{ name: 'with-secrets', description: 'take .env and the settings of channels along, with their keys' }],
  place: 'client',
  run: async (args, context) => (await import('../../setup/backup/run.ts')).runBackup(args, context),
};

export const restore: ClientCommand = {
  name: 'restore',
  summary: 'Put a backup in the place of what is there, which is kept beside it; no host may run',
  positionals: [{ name: 'file', description: 'one that `ncl backup` has written', required: true }],
  place: 'client',
  run: async (args, context) => (await import('../../setup/backup/run.ts')).runRestore(args, context),
};
