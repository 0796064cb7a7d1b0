import { readFileSync, readlinkSync } from 'node:fs';

/** Names one process for ever: boot, pid namespace, start time. A pid alone is reused. Undefined where it isn't there. */
export function processStart(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const space = readlinkSync('/proc/self/ns/pid');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is the 20th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Dead, and only not yet collected by its parent.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${boot}${space}#${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether a process of that id runs, whoever's it is. One that waits, dead, for its parent counts. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
