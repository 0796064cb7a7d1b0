import { constants, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { type Arguments, type ClientContext, textOf } from '../../cli/definition.ts';
import { findHost } from '../../cli/host-process.ts';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { keptRunningBy } from '../service/index.ts';
import { backup } from './backup.ts';
import { needsStop, restore } from './restore.ts';

/** Relative to where the person is; this process is in the install's folder. */
function pathOf(text: string): string {
  return resolve(process.env.PWD ?? '', text);
}

export async function runBackup(args: Arguments, { home, screen, json }: ClientContext): Promise<number> {
  // A host beside it goes first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const paths = pathsFor(home);
  const given = textOf(args, 'file');
  if (given === '') throw new NanoError('NC_USAGE', "The file's name is empty.");
  const made = await backup(paths, given && pathOf(given), args['with-secrets'] === true);
  if (json) screen.out(JSON.stringify(made));
  else {
    const { file, bytes, manifest, leftOut, unsure } = made;
    const { messages, agent_groups: agents, sessions } = manifest.rows;
    const rows = `messages: ${messages}, agents: ${agents}, sessions: ${sessions}`;
    screen.out(`Verified: ${file}, ${(bytes / 1024 ** 2).toFixed(1)} MB (${rows}).`);
    if (unsure > 0) screen.out(`${unsure} files of agents changed meanwhile, or can not be read.`);
    if (leftOut > 0) screen.out(`${leftOut} pipes or other special files of agents are not restored.`);
    screen.out(
      manifest.secrets
        ? 'It holds the keys, of .env and of channels: keep it safe.'
        : 'It holds no keys: neither .env nor the settings of channels are in it.',
    );
  }
  return 0;
}

export async function runRestore(args: Arguments, context: ClientContext): Promise<number> {
  const { home, screen, json } = context;
  const running = await findHost(context);
  if (running) throw needsStop(`process id ${running.pid}`);
  const service = await keptRunningBy(context);
  if (service) throw needsStop(`its service, ${service}, is about to start it`);
  const { manifest, aside } = await restore(pathsFor(home), pathOf(textOf(args, 'file') ?? ''));
  if (json) screen.out(JSON.stringify({ manifest, aside }));
  else {
    screen.out(`Restored: the state of ${manifest.createdAt}.`);
    screen.out(`What was there before is in ${aside}/. Remove it when nothing of it is needed any more.`);
    screen.out('`ncl start` takes up what was open then. Replies of that time may come once more.');
  }
  return 0;
}
