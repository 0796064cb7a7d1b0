import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { isInstalled } from '../../src/channels/load.ts';
import type { ChannelManifest } from '../../src/channels/plugin.ts';
import { NAME } from '../../src/channels/settings.ts';
import { errorText, NanoError } from '../../src/errors.ts';

/** The channels' packages of this checkout, by their manifests: what they depend on may not be there. */

const Setting = z.object({
  name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  secret: z.boolean(),
  required: z.boolean(),
  label: z.string(),
  steps: z.array(z.string()).readonly(),
  default: z.string().optional(),
});
const Manifest = z.object({
  name: z.string().regex(NAME),
  title: z.string(),
  summary: z.string(),
  settings: z.array(Setting).readonly(),
  downloadMb: z.number(),
  proof: z.string(),
});

export interface Available {
  manifest: ChannelManifest;
  folder: string;
  installed: boolean;
}

export async function listAvailable(root: string): Promise<Available[]> {
  const folder = join(root, 'channels');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'manifest.ts')));
  return Promise.all(names.sort().map((name) => readPackage(join(folder, name))));
}

/** Throws NC_CHANNEL. */
export async function readPackage(folder: string): Promise<Available> {
  const file = join(folder, 'manifest.ts');
  if (!existsSync(file)) throw new NanoError('NC_CHANNEL', `There is no channel in ${folder}.`);
  const loaded: { MANIFEST?: unknown } = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new NanoError('NC_CHANNEL', `${file} can't be read: ${errorText(error)}`);
  });
  const read = Manifest.safeParse(loaded.MANIFEST);
  if (!read.success) throw new NanoError('NC_CHANNEL', `${file} is not a manifest.`);
  const settings = read.data.settings.map(({ default: value, ...one }) =>
    value === undefined ? one : { ...one, default: value },
  );
  return { manifest: { ...read.data, settings }, folder, installed: isInstalled(folder) };
}
