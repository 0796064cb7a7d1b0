/** How often the kernel has ended something in a container for want of memory, by its group's own counter. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** The file that counts, by what `/proc/<pid>/cgroup` says. Null: that isn't the group of this container. Pure. */
export function countingFile(groups: string, id: string): string | null {
  for (const line of groups.split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (group === undefined || !group.includes(id)) continue;
    if (controllers?.split(',').includes('memory')) return path.join(ROOT, 'memory', group, 'memory.oom_control');
    if (controllers === '') return path.join(ROOT, group, 'memory.events');
  }
  return null;
}

/** Asks again at each call; null once the group is gone, or where it can't be seen from here. */
export function killedForMemory(pid: number, id: string): () => number | null {
  const file = countingFile(read(`/proc/${pid}/cgroup`) ?? '', id);
  return () => {
    const count = file === null ? undefined : /^oom_kill (\d+)$/m.exec(read(file) ?? '')?.[1];
    return count === undefined ? null : Number(count);
  };
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // it ended, or it runs on another machine
  }
}
