import { readdirSync, readFileSync } from 'node:fs';

/** What the host and everything below it take of the machine, from /proc. */

export interface ProcessFigures {
  /** Resident memory in KB. */
  rss: number;
  descriptors: number;
  threads: number;
  /** Processor time since it began, in ms. */
  cpu: number;
}

export interface Look {
  host: ProcessFigures;
  /** The outbound reader; undefined while none runs. */
  reader: ProcessFigures | undefined;
  /** The agent-runners, one a sandbox. */
  runners: ProcessFigures[];
}

const READER = 'src/mailbox/reader';
const RUNNER = 'container/agent-runner/src/index.ts';

/** Finds the processes below a host once in a while, and reads their figures at each look. */
export function createWatch(hostPid: number): { look(): Look; refresh(): void } {
  let reader: number | undefined;
  let runners: number[] = [];

  function refresh(): void {
    const below = descendants(hostPid);
    reader = below.find((pid) => commandLine(pid).includes(READER));
    // The sandbox's first process has the same words in its command line, and threads of its own aren't what is looked for.
    runners = below.filter((pid) => commandLine(pid).includes(RUNNER) && nameOf(pid).startsWith('bun'));
  }

  return {
    refresh,
    look() {
      const host = figures(hostPid);
      if (!host) throw new Error('The host is gone.');
      return {
        host,
        reader: reader === undefined ? undefined : figures(reader),
        runners: runners.flatMap((pid) => figures(pid) ?? []),
      };
    },
  };
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const walk = (pid: number): void => {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      walk(child);
    }
  };
  walk(root);
  return found;
}

function figures(pid: number): ProcessFigures | undefined {
  const status = read(`/proc/${pid}/status`);
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  const rss = of('VmRSS');
  if (Number.isNaN(rss)) return undefined;
  return { rss, descriptors: count(`/proc/${pid}/fd`), threads: of('Threads'), cpu: cpuOf(pid) };
}

function cpuOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A tick is 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function count(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    // It ended between two looks.
    return Number.NaN;
  }
}

const commandLine = (pid: number) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
const nameOf = (pid: number) => read(`/proc/${pid}/comm`).trim();

/** Empty for a process that has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
