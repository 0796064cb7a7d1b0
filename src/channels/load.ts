import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { errorText, NanoError } from '../errors.ts';
import type { Instance } from './instances.ts';
import type { ChannelPlugin } from './plugin.ts';

/** A channel's package, loaded when an account of it is enabled: until then nothing of it is read. */

const Package = z.object({ dependencies: z.record(z.string(), z.string()).optional() });

export function packageFolder(code: string, { channel, source }: Pick<Instance, 'channel' | 'source'>): string {
  return source ?? join(code, 'channels', channel);
}

/** Whether all that it depends on is there. */
export function isInstalled(folder: string): boolean {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return false;
  const { dependencies = {} } = Package.parse(JSON.parse(readFileSync(file, 'utf8')));
  return Object.keys(dependencies).every((name) => existsSync(join(folder, 'node_modules', name)));
}

/** Throws NC_CHANNEL. */
export async function loadPlugin(folder: string, channel: string): Promise<ChannelPlugin> {
  const file = join(folder, 'index.ts');
  if (!existsSync(file)) throw new NanoError('NC_CHANNEL', `There is no channel ${channel} in this checkout.`);
  if (!isInstalled(folder)) {
    throw new NanoError(
      'NC_CHANNEL',
      `The packages of ${channel} are not installed: run \`ncl channels add ${channel}\`.`,
    );
  }
  const loaded = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new NanoError('NC_CHANNEL', `The channel ${channel} can't be loaded: ${errorText(error)}`);
  });
  if (!isPlugin(loaded?.plugin)) throw new NanoError('NC_CHANNEL', `${file} is not a channel: it has no plugin.`);
  return loaded.plugin;
}

function isPlugin(value: unknown): value is ChannelPlugin {
  return (
    typeof value === 'object' &&
    value !== null &&
    'manifest' in value &&
    'create' in value &&
    typeof value.create === 'function' &&
    'test' in value &&
    typeof value.test === 'function'
  );
}
