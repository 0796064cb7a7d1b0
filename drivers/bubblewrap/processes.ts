/** What /proc says of a sandbox's processes, as the host sees them. A process that is gone is an answer, not an error. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostUid } from '../host-uid.ts';

function read(path: string, how = (file: string) => readFileSync(file, 'utf8')): string | null {
  try {
    return how(path);
  } catch {
    return null; // ended meanwhile, or not ours to know
  }
}

function numbers(text: string | null): number[] {
  return (text ?? '').split(/\s+/).filter(Boolean).map(Number);
}

/** A process for certain: the kernel gives a pid again, but never with the same start. */
export interface ProcessId {
  pid: number;
  startTime: string;
}

function statFields(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

export function identify(pid: number): ProcessId | null {
  const startTime = statFields(pid)?.[19];
  return startTime === undefined ? null : { pid, startTime };
}

/** A zombie runs nothing any more: as PID 1 of a namespace it has outlived everything in it. */
export function isAlive({ pid, startTime }: ProcessId): boolean {
  const fields = statFields(pid);
  return fields !== null && fields[19] === startTime && fields[0] !== 'Z' && fields[0] !== 'X';
}

/** Names a process for whoever comes after it: `<pid>-<start time>`. */
export const nameOf = ({ pid, startTime }: ProcessId): string => `${pid}-${startTime}`;

/** Whether it still runs. What is no such name is nobody's. */
export function runsStill(name: string | undefined): boolean {
  const [, pid, startTime] = /^(\d+)-(\d+)$/.exec(name ?? '') ?? [];
  return startTime !== undefined && isAlive({ pid: Number(pid), startTime });
}

/** Signals it if it is still that process. */
export function signal(process_: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(process_)) return;
  try {
    process.kill(process_.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export function children(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // ended meanwhile
  }
  return threads.flatMap((thread) => numbers(read(`/proc/${pid}/task/${thread}/children`)));
}

/** Goes behind the words of `strays`: who began it, by name. */
export const STARTER = ['--setenv', 'STARTER'];

/**
 * Processes with these words in a row on their command line that are not below this one, and whose starter runs no more: an
 * earlier host's. One whose starter runs may be a trial of setup's beside a host. Anybody may write such words. A host that
 * isn't root takes its own user's alone; root those of root and of `isOurs` that run one of these executables.
 */
export function strays(
  words: readonly string[],
  executables: readonly string[],
  isOurs: (uid: number) => boolean,
): ProcessId[] {
  const own = process.getuid?.();
  const mayBe = (pid: number): boolean => {
    const uid = hostUid(pid);
    if (own !== 0) return uid === own;
    const runs = read(`/proc/${pid}/exe`, (file) => readlinkSync(file))?.replace(/ \(deleted\)$/, ''); // by an update
    return uid !== null && (uid === 0 || isOurs(uid)) && runs !== undefined && executables.includes(runs);
  };
  const phrase = `\0${words.join('\0')}\0`;
  const isLeft = (commandLine: string): boolean => {
    const [, behind] = commandLine.split(phrase);
    const [one, two, starter] = behind?.split('\0') ?? [];
    const isNamed = one === STARTER[0] && two === STARTER[1];
    return behind !== undefined && !(isNamed && runsStill(starter));
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => {
    const isOne = isLeft(read(`/proc/${pid}/cmdline`) ?? '') && !isBelowUs(pid) && mayBe(pid);
    return (isOne && identify(pid)) || [];
  });
}

function isBelowUs(pid: number): boolean {
  for (let at = pid; at > 1; at = Number(statFields(at)?.[1] ?? 0)) if (at === process.pid) return true;
  return false;
}

/** Memory that no file backs, of a process and all below it. */
export function residentBytes(pid: number): number {
  const status = read(`/proc/${pid}/status`) ?? '';
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  const own = (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024;
  return children(pid).reduce((sum, child) => sum + residentBytes(child), own);
}
