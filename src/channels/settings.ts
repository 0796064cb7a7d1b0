import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvFile } from '../env.ts';
import { NanoError } from '../errors.ts';
import type { ChannelManifest } from './plugin.ts';

/**
 * `<folder>/<instance>.env`: the settings of one account, as NAME=value lines, for this user alone. Beside it the folder
 * of what its adapter keeps.
 */

/** Below the folder: settings that have yet to show that they work. No account has that name. */
export const PROPOSED = '.proposed';

/** Of a channel, and of an account. */
export const NAME = /^[a-z][a-z0-9-]{0,30}$/;

export function settingsFile(folder: string, instance: string): string {
  return join(folder, `${instance}.env`);
}

/** With the defaults of its manifest. Throws NC_ENV_INVALID. */
export function readSettings(folder: string, instance: string, { settings }: ChannelManifest): Record<string, string> {
  const defaults = settings.flatMap((one) => (one.default === undefined ? [] : [[one.name, one.default] as const]));
  return { ...Object.fromEntries(defaults), ...readEnvFile(settingsFile(folder, instance)) };
}

/** Throws NC_CHANNEL with what is missing. */
export function requireSettings(given: Readonly<Record<string, string>>, { title, settings }: ChannelManifest): void {
  const missing = settings.filter(({ name, required }) => required && !given[name]).map(({ name }) => name);
  if (missing.length > 0) throw new NanoError('NC_CHANNEL', `${title} needs ${missing.join(' and ')}.`);
}

/** Whole or not at all. */
export function writeSettings(folder: string, instance: string, values: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = settingsFile(folder, instance);
  const next = `${file}.new`;
  rmSync(next, { force: true });
  const descriptor = openSync(next, 'wx', 0o600);
  try {
    writeSync(descriptor, Object.entries(values).map(lineOf).join(''));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(next, file);
}

function lineOf([name, value]: [string, string]): string {
  const escaped = value
    .replaceAll(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `${name}="${escaped}"\n`;
}
