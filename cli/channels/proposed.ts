import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChannelTools } from '../../admin/view.ts';
import type { Instance } from '../../src/channels/instances.ts';
import { loadPlugin, packageFolder } from '../../src/channels/load.ts';
import { PROPOSED, settingsFile } from '../../src/channels/settings.ts';
import { readEnvFile } from '../../src/env.ts';
import { type Tested, tryAccount } from './try-account.ts';

/** Settings that were given for an account, and have yet to show that they work. */

export interface Proposed {
  /** Another account that has the same ones, as far as a login goes. */
  twin(): Promise<string | undefined>;
  /** Undefined when they are what the account has. */
  test(): Promise<Tested | undefined>;
  /** They are the account's own from now on. */
  keep(): void;
  forget(): void;
}

export function createProposed(channels: ChannelTools, row: Instance): Proposed {
  const folder = join(channels.folder, PROPOSED);
  const { instance, channel } = row;
  const [file, own] = [settingsFile(folder, instance), settingsFile(channels.folder, instance)];
  const isThere = existsSync(file);
  const read = (path: string) => (existsSync(path) ? readEnvFile(path) : {});
  return {
    async twin() {
      // One that can't be loaded says why when it is tried.
      const plugin = await loadPlugin(packageFolder(channels.code, row), channel).catch(() => undefined);
      const login = plugin?.manifest.settings.filter(({ required }) => required) ?? [];
      if (!login.some(({ secret }) => secret)) return undefined;
      const given = read(isThere ? file : own);
      const others = channels.instances.list().filter((one) => one.channel === channel && one.instance !== instance);
      return others.find((one) => {
        const theirs = read(settingsFile(channels.folder, one.instance));
        return login.every(({ name }) => given[name] !== undefined && given[name] === theirs[name]);
      })?.instance;
    },
    async test() {
      const isNew = isThere && JSON.stringify(sorted(read(file))) !== JSON.stringify(sorted(read(own)));
      return isNew ? tryAccount(channels, row, folder) : undefined;
    },
    keep() {
      if (isThere) renameSync(file, own);
    },
    forget: () => rmSync(file, { force: true }),
  };
}

function sorted(values: Readonly<Record<string, string | undefined>>): [string, string | undefined][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
