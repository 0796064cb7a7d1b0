import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DriverName } from '../../drivers/names.ts';
import { startHost } from '../../test/support/host-process.ts';
import { containersOf } from '../../test/support/runtime.ts';
import { sandboxProcesses } from '../../test/support/sandbox-search.ts';
import { startPlatform } from '../../test/support/scripted/platform.ts';
import { until } from '../../test/support/until.ts';

/** What a running sandbox takes that has nothing to do, in bytes. */
export interface Memory {
  /** The processes in it: what they alone have, and their share of what they have in common with others. */
  inside: number;
  /** The processes that hold it on the host, other than the engine itself. */
  beside: number;
  /** What the host has grown by. */
  host: number;
}

const CHATS = ['a', 'b', 'c', 'd'];
/** What a start has left behind is collected meanwhile. */
const REST_MS = 5000;

export async function idleMemory(runtime: DriverName): Promise<Memory> {
  using platform = await startPlatform();
  await using host = await startHost({ runtime, platform, chats: ['first', ...CHATS] });
  const { pid } = host.process;
  if (pid === undefined) throw new Error('The host has no process.');
  const ask = async (chats: readonly string[]): Promise<void> => {
    const events = chats.map((chat) => platform.send(chat, 'ping'));
    await until(() => events.every((event) => platform.events.get(event)?.outcome !== undefined));
    await pause(REST_MS);
  };
  // The first one makes a host load what it needs for any.
  await ask(['first']);
  const before = residentBytes(pid);
  await ask(CHATS);
  const sandboxes = globSync('data/v2-sessions/*/*/box', { cwd: host.home })
    .map((box) => sandboxProcesses(join(host.home, box)))
    .filter((found) => found.length > 0);
  const inside = sandboxes.flat();
  const beside = runtime === 'bubblewrap' ? bwrapsBelow(pid) : holdersOf(await containersOf(host.home, runtime));
  const count = sandboxes.length;
  return {
    inside: total(inside) / count,
    beside: total(beside.filter((each) => !inside.includes(each))) / count,
    host: (residentBytes(pid) - before) / CHATS.length,
  };
}

const total = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + shareOf(pid), 0);

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

const kilobytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;

/** Memory that several processes have in common counts in parts. */
const shareOf = (pid: number): number => kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss');
const residentBytes = (pid: number): number => kilobytes(read(`/proc/${pid}/status`), 'VmRSS');

const processIds = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function bwrapsBelow(host: number): number[] {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === host || isBelow(parents.get(pid)));
  return [...parents.keys()].filter((pid) => isBelow(pid) && read(`/proc/${pid}/comm`).trim() === 'bwrap');
}

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

/** containerd's shim, or conmon: it has the container's id in its command line. */
function holdersOf(containers: readonly { Id: string }[]): number[] {
  return processIds().filter((pid) => {
    const command = read(`/proc/${pid}/cmdline`);
    return containers.some(({ Id }) => command.includes(Id));
  });
}
