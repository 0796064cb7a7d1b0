import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { HOST_FLAGS } from '../../cli/host-process.ts';
import { createInstances } from '../../src/channels/instances.ts';
import { writeSettings } from '../../src/channels/settings.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { pathsFor } from '../../src/paths.ts';
import { CODE, startHost } from '../../test/support/host-process.ts';
import { runNcl } from '../../test/support/ncl.ts';
import { until } from '../../test/support/until.ts';
import { percentile } from '../report.ts';
import { ACCOUNTS } from './accounts.ts';

/** Times and memory, each the median of several processes. */

const IMPORTS = 9;
const HOSTS = 3;
/** For what a start leaves behind to be collected. */
const SETTLE_MS = 5_000;
const States = z.array(z.object({ instance: z.string(), state: z.string() }));

/** In ms, with a warm compile cache as the host has it. */
export function importMs(folder: string): number {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(CODE, '.runtime/compile-cache') };
  const script = join(CODE, 'bench/channels/import-time.ts');
  const given = [...HOST_FLAGS, script, join(folder, 'index.ts')];
  const once = () => Number(execFileSync(process.execPath, given, { env, cwd: CODE }));
  once();
  return percentile(
    Array.from({ length: IMPORTS }, () => once()),
    0.5,
  );
}

/** Of a host with one account of this channel, connected; without a name, of one without any. In MB. */
export async function rssOf(channel?: string): Promise<number | undefined> {
  const sizes: number[] = [];
  for (let times = 0; times < HOSTS; times += 1) {
    const size = await rssOnce(channel);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return percentile(sizes, 0.5);
}

async function rssOnce(channel: string | undefined): Promise<number | undefined> {
  const account = channel === undefined ? undefined : await ACCOUNTS[channel]?.();
  if (channel !== undefined && !account) return undefined;
  try {
    const first = await startHost();
    await first.end();
    const { home } = first;
    if (channel !== undefined && account) addAccount(home, channel, account.settings);
    const host = await startHost({ home, ...(account?.env && { env: account.env }) });
    try {
      if (channel !== undefined) await until(async () => (await stateOf(home)) === 'connected', 60_000);
      await pause(SETTLE_MS);
      return rssOfProcess(host.process.pid ?? 0);
    } finally {
      await host.end();
      rmSync(home, { recursive: true, force: true });
    }
  } finally {
    await account?.close();
  }
}

async function stateOf(home: string): Promise<string | undefined> {
  const { status, stdout } = await runNcl(home, ['channels', 'list', '--json']);
  return status === 0 ? States.parse(JSON.parse(stdout))[0]?.state : undefined;
}

function addAccount(home: string, channel: string, settings: Readonly<Record<string, string>>): void {
  const now = Date.now();
  writeSettings(pathsFor(home).channels, channel, settings);
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now });
  transaction(db, () => createInstances(db).add({ instance: channel, channel, source: null, enabled: true }, now));
  db.close();
}

export function rssOfProcess(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
}
