/** The few operations on cgroupfs, so that the logic above them can run on a plain folder as well. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface CgroupFiles {
  /** Null: there is no such file, or it can't be read. */
  read(file: string): string | null;
  /** False: refused by the kernel. */
  write(file: string, value: string): boolean;
  /** True if it is there afterwards. */
  ensureFolder(folder: string): boolean;
  /** False while processes are in it. */
  removeFolder(folder: string): boolean;
  folders(folder: string): string[];
}

function attempt(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false; // the kernel's refusal is the answer asked for
  }
}

export const realCgroupFiles: CgroupFiles = {
  read(file) {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  },
  write: (file, value) => attempt(() => writeFileSync(file, value, { flag: 'r+' })),
  ensureFolder: (folder) => attempt(() => mkdirSync(folder, { recursive: true })),
  removeFolder: (folder) => attempt(() => rmdirSync(folder)),
  folders(folder) {
    let names: string[] = [];
    attempt(() => {
      names = readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    });
    return names;
  },
};

/** The number after a word in a file of "word number" lines. */
export function counter(text: string | null, word: string): number {
  return Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
}

/** Kills what is in a group and removes it. A group that empties stays busy for about 100 ms. False: still there. */
export async function killAndRemove(files: CgroupFiles, folder: string, deadlineMs = 5000): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    if (files.removeFolder(folder) || files.read(path.join(folder, 'cgroup.procs')) === null) return true;
    if (!files.write(path.join(folder, 'cgroup.kill'), '1')) {
      const pids = (files.read(path.join(folder, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number);
      for (const pid of pids) attempt(() => process.kill(pid, 'SIGKILL'));
    }
    if (Date.now() > deadline) return false;
    await delay(5);
  }
}
