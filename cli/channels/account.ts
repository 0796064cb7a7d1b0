import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PROPOSED, settingsFile, writeSettings } from '../../src/channels/settings.ts';
import { readEnvFile } from '../../src/env.ts';
import { pathsFor } from '../../src/paths.ts';
import type { Answer, ClientContext } from '../definition.ts';
import { settingsIn, type Values } from './ask-settings.ts';
import type { Available } from './packages.ts';

/** An account that is being added, on this side of the socket. */

export interface Account {
  instance: string;
  found: Available;
  /** Of a package that isn't one of ours. */
  source?: string;
  /** Its settings replace others that work, whether or not they do. */
  untested?: true;
}

/** As it is typed after `ncl channels add`. */
export function nameOf({ instance, found, source }: Account): string {
  const { name } = found.manifest;
  return instance === name ? (source ?? name) : `${source ?? name} --as ${instance}`;
}

const Tested = z.object({ ok: z.boolean(), sentence: z.string(), kept: z.boolean().optional() });
export type Tested = z.infer<typeof Tested>;

/** What the environment or .env says wins over what was given before. */
export function knownOf({ home }: ClientContext, instance: string, { manifest }: Available): Values {
  const { channels, env } = pathsFor(home);
  const file = settingsFile(channels, instance);
  return {
    ...(existsSync(file) && readEnvFile(file)),
    ...settingsIn(readEnvFile(env), instance, manifest),
    ...settingsIn(process.env, instance, manifest),
  };
}

export function keep({ home }: ClientContext, instance: string, values: Values): void {
  writeSettings(pathsFor(home).channels, instance, values);
}

/** The host takes it into use with these settings, unless they don't work and those that it had do. */
export async function attach(
  { ask, screen, home }: ClientContext,
  { instance, found, source, untested }: Account,
  values: Values,
  shown: boolean,
): Promise<Answer & { tested: Tested }> {
  writeSettings(join(pathsFor(home).channels, PROPOSED), instance, values);
  const given = {
    instance,
    channel: found.manifest.name,
    ...(source !== undefined && { source }),
    ...(untested && { untested }),
  };
  const answer = await ask('channels attach', given, shown ? screen : undefined);
  return { ...answer, tested: Tested.parse(answer.data) };
}
