import { accessSync, constants, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ClientContext } from '../../cli/definition.ts';
import { findHost } from '../../cli/host-process.ts';
import { stopRunningHost } from '../../cli/stop-host.ts';
import { readEnvFile } from '../../src/env.ts';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { chooseManager, findManager, readDefinition, whose } from './choose.ts';
import type { Manager } from './manager.ts';
import { leftOut, type Plan, planFor } from './plan.ts';
import { start } from './run.ts';

/** Ends with a host that runs inside of the service. Doing it again changes nothing. Throws NC_SERVICE, NC_SERVICE_FILE. */
export async function install(context: ClientContext): Promise<number> {
  const { home, root, screen, json } = context;
  const plan = planFor(root, home);
  const service = findManager(plan) ?? (await chooseManager(plan));
  // One that hangs is told before anything is written.
  const before = (await findHost(context))?.pid;
  // A good host stays when the next one could not start.
  const { data, env } = pathsFor(home);
  readEnvFile(env);
  // On a disk that is read-only, a folder that is to be made there would only seem to be missing.
  if (existsSync(data)) accessSync(data, constants.W_OK);
  const notes = writeDefinition(service, plan);
  const changed = readDefinition(service.file) !== service.text;
  if (changed) replace(service);
  const survived = changed ? undefined : await service.survives();
  if (changed || survived?.reboot.holds === false) notes.push(...(await service.enable()));

  const isInside = before !== undefined && (await service.look()).pid === before;
  const stays = isInside && !changed;
  if (!stays) {
    try {
      await stopRunningHost(context, false);
    } catch (error) {
      if (!json) screen.err('The service is installed, and not started: the host that runs did not end.');
      throw error;
    }
  }
  const pid = stays ? before : (await start(service, context)).pid;
  if (before !== undefined && !isInside) notes.push('The host that ran was ended, and started again inside of it.');

  notes.push(...leftOut().map((name) => `${name} holds a password and was left out: put it into .env.`));
  const { name, label, file } = { ...plan, ...service };
  if (json)
    screen.out(JSON.stringify({ installed: true, changed, started: !stays, name, kind: label, file, pid, notes }));
  else {
    const news = changed
      ? 'is installed'
      : stays
        ? 'was installed already: nothing is changed'
        : 'was installed already; the host is started';
    screen.out([`${name} ${news} (${label}, ${file}). The host is process ${pid}.`, ...notes].join('\n'));
  }
  return 0;
}

/** Makes room for the file: what a person has changed is kept. Returns what they should know. */
function writeDefinition(service: Manager, plan: Plan): string[] {
  const { file } = service;
  const found = whose(service, plan);
  if (found === 'foreign')
    throw new NanoError('NC_SERVICE_FILE', `${file} was not made for this install, and stays as it is.`);
  if (found !== 'edited') return [];
  const aside = `${file}.edited-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  renameSync(file, aside);
  return [`The file had been edited by hand: it is kept as ${aside}.`];
}

/** Whole or not at all. */
function replace({ file, mode, text }: Manager): void {
  mkdirSync(dirname(file), { recursive: true });
  const next = `${file}.${process.pid}.new`;
  writeFileSync(next, text, { mode });
  renameSync(next, file);
}
