import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { NAME } from '../../src/channels/settings.ts';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { type Arguments, type ClientContext, textOf } from '../definition.ts';
import { type Account, attach, knownOf, nameOf } from './account.ts';
import { missingFrom, settingsFrom, unknownIn, whatIsMissing } from './ask-settings.ts';
import { isAsking } from './dialogue.ts';
import { commitIn, fetchPackage, installOwnPackages, isGitSource } from './fetch.ts';
import { installPackages } from './install.ts';
import { type Available, readPackage } from './packages.ts';

const Accounts = z.array(z.object({ instance: z.string(), channel: z.string() }));

export async function runAdd(args: Arguments, context: ClientContext): Promise<number> {
  const { root, home, screen, json } = context;
  const given = textOf(args, 'channel') ?? '';
  // Before anything is downloaded or asked for.
  const accounts = Accounts.parse((await context.ask('channels list')).data);
  const place = await placeOf(given, pathsFor(home).data, (text) => screen.err(text));
  const folder = place ?? join(root, 'channels', checked(given));
  if (place === undefined && !existsSync(join(folder, 'manifest.ts'))) throw noSuch(given);
  const found = await readPackage(folder);
  const { manifest } = found;
  const instance = checked(textOf(args, 'as') ?? manifest.name);
  const other = accounts.find((one) => one.instance === instance && one.channel !== manifest.name);
  if (other)
    throw new NanoError('NC_EXISTS', `${instance} is an account of ${other.channel}. Choose another name with --as.`);
  const from = textOf(args, 'from');
  const lines = from === undefined ? {} : await settingsFrom(from);
  const stray = unknownIn(manifest, lines);
  if (stray) throw stray;
  const known = { ...knownOf(context, instance, found), ...lines };
  const asks = isAsking() && !json && from === undefined;
  const missing = missingFrom(manifest, known);
  if (missing.length > 0 && !asks) throw whatIsMissing(manifest, instance, missing);
  await ensureInstalled(root, found, given, (text) => screen.err(text));
  const account: Account = {
    instance,
    found,
    ...(place !== undefined && { source: place }),
    ...(args.untested === true && { untested: true }),
  };
  if (asks) return (await import('./add-asking.ts')).addAsking(context, account, known);
  const answer = await attach(context, account, known, !json);
  screen.out(json ? JSON.stringify(answer.data) : (answer.text ?? ''));
  if (answer.tested.ok) return 0;
  if (!json) screen.err(`Other settings: ncl channels add ${nameOf(account)} --from <file>`);
  return 1;
}

/** Of a package that isn't one of ours. */
async function placeOf(given: string, data: string, say: (text: string) => void): Promise<string | undefined> {
  if (isAbsolute(given) || given.startsWith('.')) return resolve(given);
  if (!isGitSource(given)) return undefined;
  const commit = commitIn(given);
  say('That commit is downloaded. It is code that runs with the rights of the host: read it before you trust it.');
  return fetchPackage(data, commit);
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
  if (manifest.downloadMb > 0) {
    say(`${manifest.title} needs packages that aren't here yet: about ${manifest.downloadMb} MB are downloaded.`);
  }
  await (isOurs ? installPackages(root, found) : installOwnPackages(root, folder));
}

function noSuch(name: string): NanoError {
  return new NanoError(
    'NC_USAGE',
    `There is no channel ${JSON.stringify(name)}: \`ncl channels available\` shows those that there are.`,
  );
}

function checked(name: string): string {
  if (NAME.test(name)) return name;
  throw new NanoError(
    'NC_USAGE',
    'A channel has small letters, digits and dashes in its name, and begins with a letter.',
  );
}
