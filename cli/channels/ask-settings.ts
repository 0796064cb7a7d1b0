import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import type { ChannelManifest, ChannelSetting } from '../../src/channels/plugin.ts';
import { parseEnv } from '../../src/env.ts';
import { NanoError } from '../../src/errors.ts';
import type { Env } from '../../src/providers/contract.ts';

/** Settings of an account: from a file, stdin or the environment, else asked for. Secrets are never shown, and never arguments. */

export type Values = Record<string, string>;

/** `-`: stdin. Throws NC_USAGE with the line, never its content. */
export async function settingsFrom(source: string): Promise<Values> {
  const given = source === '-' ? await readAll(process.stdin) : readFile(source);
  const { values, problems } = parseEnv(given);
  const [first] = problems;
  if (first) throw new NanoError('NC_USAGE', `Line ${first.line} of the settings: ${first.text}.`);
  return values;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new NanoError('NC_USAGE', `The file ${path} can't be read.`);
  }
}

/** TELEGRAM_TOKEN is TOKEN of the account `telegram`; so is TELEGRAM_BOT_TOKEN, as many know it. */
export function settingsIn(env: Env, instance: string, { settings }: ChannelManifest): Values {
  const prefix = prefixOf(instance);
  const found = settings.flatMap(({ name }) => {
    const value = (env[`${prefix}_${name}`] ?? env[`${prefix}_BOT_${name}`])?.trim();
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

function prefixOf(instance: string): string {
  return instance.toUpperCase().replaceAll('-', '_');
}

/** A name that is mistyped would change nothing. What begins with a setting's name may be one of several of its kind. */
export function unknownIn({ title, settings }: ChannelManifest, given: Values): NanoError | undefined {
  const names = settings.map(({ name }) => name);
  const stray = Object.keys(given).find((one) => !names.some((name) => one === name || one.startsWith(`${name}_`)));
  if (stray === undefined) return undefined;
  return new NanoError('NC_USAGE', `${title} has no setting ${stray}. It has ${names.join(', ')}.`);
}

/** What it can't do without, and nobody has given. */
export function missingFrom({ settings }: ChannelManifest, known: Values): ChannelSetting[] {
  return settings.filter((one) => one.required && one.default === undefined && !known[one.name]);
}

export function whatIsMissing(
  { title }: ChannelManifest,
  instance: string,
  missing: readonly ChannelSetting[],
): NanoError {
  const names = missing.map(({ name }) => name).join(', ');
  const variables = missing.map(({ name }) => `${prefixOf(instance)}_${name}`).join(', ');
  return new NanoError('NC_CHANNEL_SETTINGS', `${title} needs ${names} (in the environment: ${variables}).`);
}
