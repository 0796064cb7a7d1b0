import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** Looks for a text in everything that a sandbox is made of, from outside, as root. */

/** The processes whose root holds /app/container: a sandbox's, by host pid. */
export function sandboxProcesses(sessionBox: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // A mount of this session's box, and a namespace that isn't ours.
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
        return mounts.includes(`${sessionBox} /workspace `);
      } catch {
        return false;
      }
    });
}

/** Where the text was found: files, environments, command lines, memory. Empty is what one hopes for. */
export function searchSandbox(pids: readonly number[], text: string): string[] {
  const found: string[] = [];
  for (const pid of pids) {
    for (const part of ['environ', 'cmdline']) {
      if (readFileSync(`/proc/${pid}/${part}`).includes(text)) found.push(`${pid} ${part}`);
    }
    if (memoryHolds(pid, text)) found.push(`${pid} memory`);
  }
  const [first] = pids;
  if (first !== undefined) found.push(...searchFiles(`/proc/${first}/root`, text));
  return found;
}

/** All that the sandbox sees but its /proc and the system's own /usr. */
function searchFiles(root: string, text: string): string[] {
  const entries = readdirSync(root).filter(
    (name) => !['proc', 'usr', 'sys', 'dev', 'bin', 'lib', 'lib64', 'sbin'].includes(name),
  );
  return search(
    entries.map((name) => `${root}/${name}`),
    text,
  );
}

export function search(paths: readonly string[], text: string): string[] {
  const { stdout } = spawnSync('grep', ['-rlaF', '-D', 'skip', '-e', text, ...paths], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return stdout.split('\n').filter((line) => line !== '');
}

function memoryHolds(pid: number, text: string): boolean {
  const wanted = Buffer.from(text);
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const [, from = '', to = ''] of readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(
      /^([0-9a-f]+)-([0-9a-f]+) rw/gm,
    )) {
      if (regionHolds(fd, Number.parseInt(from, 16), Number.parseInt(to, 16), wanted)) return true;
    }
    return false;
  } finally {
    closeSync(fd);
  }
}

const STEP = 4 * 1024 * 1024;
/** Larger mappings are address space that was set aside, with little in it. */
const LARGEST = 512 * 1024 * 1024;

function regionHolds(fd: number, from: number, to: number, wanted: Buffer): boolean {
  if (to - from > LARGEST) return false;
  const buffer = Buffer.alloc(STEP + wanted.length);
  for (let at = from; at < to; at += STEP) {
    try {
      const size = readSync(fd, buffer, 0, Math.min(buffer.length, to - at), at);
      if (buffer.subarray(0, size).includes(wanted)) return true;
    } catch {
      // A hole: nothing is mapped there.
    }
  }
  return false;
}

/** Ends all of a sandbox. The first that dies may take the others with it. */
export function killSandbox(sessionBox: string): void {
  for (const pid of sandboxProcesses(sessionBox)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
