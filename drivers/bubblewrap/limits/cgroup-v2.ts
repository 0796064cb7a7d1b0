/** Groups of cgroup v2, made by hand: by root, or below a group that was delegated to this process (`Delegate=yes`). */
import path from 'node:path';
import { type CgroupFiles, counter, killAndRemove } from './cgroup-files.ts';
import type { LimitMeans, Resource } from './means.ts';

const PERIOD_US = 100_000;
const RESOURCES: readonly Resource[] = ['memory', 'cpu', 'pids'];
/** A group with processes in it can have no limited groups below it, so the host moves into a leaf of its own. */
const HOST_LEAF = 'nanoclaw-host';

/** Where the one hierarchy is mounted, from the text of /proc/self/mounts. */
export function findV2Mount(mounts: string): string | null {
  const line = mounts.split('\n').find((candidate) => candidate.split(' ')[2] === 'cgroup2');
  return line?.split(' ')[1] ?? null;
}

/** This process's group in it, from the text of /proc/self/cgroup: "/" is the root. */
export function findV2Path(cgroup: string): string {
  return /^0::(\/.*)$/m.exec(cgroup)?.[1] ?? '/';
}

export interface V2Surroundings {
  mount: string;
  ownPath: string;
  pid: number;
}

/** Null when neither the root nor the own group lets us make limited groups. */
export function createCgroupV2(files: CgroupFiles, at: V2Surroundings, label: string): LimitMeans | null {
  const base = delegate(files, at.mount) ?? delegateOwn(files, at);
  if (!base) return null;
  const parent = path.join(base, label);
  if (!files.ensureFolder(parent)) return null;
  const holds = enable(files, parent);
  if (!holds.has('memory')) {
    files.removeFolder(parent);
    return null;
  }
  const remove = async (id: string): Promise<void> => {
    await killAndRemove(files, path.join(parent, id));
    files.removeFolder(parent); // the last one takes it along
  };
  return {
    name: 'cgroup v2',
    holds,
    open(id, limits) {
      const leaf = path.join(parent, id);
      const set = (file: string, value: string): boolean => files.write(path.join(leaf, file), value);
      files.ensureFolder(parent);
      enable(files, parent);
      files.ensureFolder(leaf);
      set('memory.max', String(Math.floor(limits.memoryBytes)));
      set('memory.swap.max', '0'); // absent without swap accounting
      set('pids.max', String(limits.pids));
      set('cpu.max', `${Math.floor(limits.cpus * PERIOD_US)} ${PERIOD_US}`);
      let outOfMemory = false;
      const look = (): boolean => {
        outOfMemory ||= counter(files.read(path.join(leaf, 'memory.events')), 'oom_kill') > 0;
        return outOfMemory;
      };
      return {
        prefix: [],
        env: {},
        enter: ({ pid }) => {
          set('cgroup.procs', String(pid));
        },
        isOutOfMemory: look,
        release: async () => {
          look();
          await remove(id);
        },
      };
    },
    async sweep(isInUse) {
      const left = files.folders(parent).filter((id) => !isInUse(id));
      await Promise.all(left.map(remove));
      // A host that starts no sandbox leaves nothing; the first one makes it again.
      files.removeFolder(parent);
      return left.length;
    },
  };
}

/** Turns the controllers on for the groups below `folder`. Returns those that are on then. */
function enable(files: CgroupFiles, folder: string): Set<Resource> {
  const control = path.join(folder, 'cgroup.subtree_control');
  // One by one: a single unknown name would make the kernel refuse them all.
  for (const resource of RESOURCES) files.write(control, `+${resource}`);
  const on = (files.read(control) ?? '').split(/\s+/);
  return new Set(RESOURCES.filter((resource) => on.includes(resource)));
}

function delegate(files: CgroupFiles, folder: string): string | null {
  return enable(files, folder).has('memory') && writable(files, folder) ? folder : null;
}

function writable(files: CgroupFiles, folder: string): boolean {
  const trial = path.join(folder, `nanoclaw-trial-${process.pid}`);
  return files.ensureFolder(trial) && files.removeFolder(trial);
}

function delegateOwn(files: CgroupFiles, { mount, ownPath, pid }: V2Surroundings): string | null {
  const own = path.join(mount, path.basename(ownPath) === HOST_LEAF ? path.dirname(ownPath) : ownPath);
  const members = (files.read(path.join(own, 'cgroup.procs')) ?? '').split('\n').filter(Boolean);
  // Someone else's process in there (a shell's, in a login session) is not ours to move.
  if (members.some((member) => Number(member) !== pid)) return null;
  if (!writable(files, own)) return null;
  const leaf = path.join(own, HOST_LEAF);
  if (members.length > 0) {
    const moved = files.ensureFolder(leaf) && files.write(path.join(leaf, 'cgroup.procs'), String(pid));
    if (!moved) return null;
  }
  return delegate(files, own);
}
