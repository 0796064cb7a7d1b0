import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { NAME } from '../../src/channels/load.ts';
import { settingsFile, writeSettings } from '../../src/channels/settings.ts';
import { readEnvFile } from '../../src/env.ts';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import { askSettings, settingsFrom } from './ask-settings.ts';
import { fetchPackage, installOwnPackages, isGitSource } from './fetch.ts';
import { installPackages } from './install.ts';
import { type Available, readPackage } from './packages.ts';

const Accounts = z.array(z.object({ instance: z.string(), channel: z.string() }));

export const channelsAdd: ClientCommand = {
  name: 'channels add',
  summary: 'Connect an account on a platform, or change its settings',
  positionals: [
    {
      name: 'channel',
      description: 'one of `ncl channels available`; of somebody else, a path, or git+https://…#<commit>',
      required: true,
    },
  ],
  flags: [
    { name: 'as', value: 'name', description: "what to call this account: telegram-work; the channel's name at first" },
    { name: 'from', value: 'file', description: 'its settings, as NAME=value lines; - reads them from stdin' },
  ],
  place: 'client',
  async run(args, { root, home, screen, json, ask }) {
    const given = textOf(args, 'channel') ?? '';
    // Before anything is downloaded or asked for.
    const accounts = Accounts.parse((await ask('channels list')).data);
    const place = await placeOf(given, pathsFor(home).data, (text) => screen.err(text));
    const found = await readPackage(place ?? join(root, 'channels', checked(given)));
    const { manifest } = found;
    const instance = checked(textOf(args, 'as') ?? manifest.name);
    const other = accounts.find((one) => one.instance === instance && one.channel !== manifest.name);
    if (other)
      throw new NanoError('NC_EXISTS', `${instance} is an account of ${other.channel}. Choose another name with --as.`);
    await ensureInstalled(root, found, given, (text) => screen.err(text));
    const folder = pathsFor(home).channels;
    const file = settingsFile(folder, instance);
    const before = existsSync(file) ? readEnvFile(file) : {};
    const from = textOf(args, 'from');
    const settings = await askSettings(manifest, { ...before, ...(from !== undefined && (await settingsFrom(from))) });
    writeSettings(folder, instance, settings);
    const source = place === undefined ? {} : { source: place };
    const answer = await ask(
      'channels attach',
      { instance, channel: manifest.name, ...source },
      json ? undefined : screen,
    );
    screen.out(json ? JSON.stringify(answer.data) : (answer.text ?? ''));
    return 0;
  },
};

/** Of a package that isn't one of ours. */
async function placeOf(given: string, data: string, say: (text: string) => void): Promise<string | undefined> {
  if (isAbsolute(given) || given.startsWith('.')) return resolve(given);
  if (!isGitSource(given)) return undefined;
  say('That commit is downloaded. It is code that runs with the rights of the host: read it before you trust it.');
  return fetchPackage(data, given);
}

async function ensureInstalled(
  root: string,
  found: Available,
  given: string,
  say: (text: string) => void,
): Promise<void> {
  if (found.installed) return;
  const { folder, manifest } = found;
  const isOurs = folder === join(root, 'channels', given);
  if (!isOurs && !isGitSource(given)) {
    throw new NanoError('NC_CHANNEL', `Install what ${manifest.title} needs first, in ${folder}.`);
  }
  say(`${manifest.title} needs packages that aren't here yet: about ${manifest.downloadMb} MB are downloaded.`);
  await (isOurs ? installPackages(root, found) : installOwnPackages(root, folder));
}

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new NanoError(
    'NC_USAGE',
    'A channel has small letters, digits and dashes in its name, and begins with a letter.',
  );
}
