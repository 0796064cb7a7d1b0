/** Groups of cgroup v1, made by hand: one folder in each controller's hierarchy. Needs root. */
import path from 'node:path';
import { type CgroupFiles, counter, killAndRemove } from './cgroup-files.ts';
import type { LimitMeans, Resource } from './means.ts';

const PERIOD_US = 100_000;

/** Where each controller is mounted, from the text of /proc/self/mounts. */
export function findV1Controllers(mounts: string): Map<Resource, string> {
  const found = new Map<Resource, string>();
  for (const line of mounts.split('\n')) {
    const [, folder, type, options] = line.split(' ');
    if (type !== 'cgroup' || !folder || !options) continue;
    for (const resource of ['memory', 'cpu', 'pids'] as const) {
      if (options.split(',').includes(resource)) found.set(resource, folder);
    }
  }
  return found;
}

/** Null when the memory controller can't be written here. */
export function createCgroupV1(
  files: CgroupFiles,
  controllers: Map<Resource, string>,
  label: string,
): LimitMeans | null {
  const parents = new Map(
    [...controllers]
      .map(([resource, folder]) => [resource, path.join(folder, label)] as const)
      .filter(([, parent]) => files.ensureFolder(parent)),
  );
  if (!parents.has('memory')) return null;
  const leaves = (id: string): string[] => [...parents.values()].map((parent) => path.join(parent, id));
  const remove = async (id: string): Promise<void> => {
    await Promise.all(leaves(id).map((leaf) => killAndRemove(files, leaf)));
    for (const parent of parents.values()) files.removeFolder(parent); // the last one takes it along
  };
  return {
    name: 'cgroup v1',
    holds: new Set(parents.keys()),
    open(id, limits) {
      const set = (resource: Resource, file: string, value: number): void => {
        const parent = parents.get(resource);
        if (parent) files.write(path.join(parent, id, file), String(Math.floor(value)));
      };
      for (const leaf of leaves(id)) files.ensureFolder(leaf);
      set('memory', 'memory.limit_in_bytes', limits.memoryBytes);
      set('memory', 'memory.memsw.limit_in_bytes', limits.memoryBytes); // no swap on top; absent without swap accounting
      set('pids', 'pids.max', limits.pids);
      set('cpu', 'cpu.cfs_period_us', PERIOD_US);
      set('cpu', 'cpu.cfs_quota_us', limits.cpus * PERIOD_US);
      const oom = path.join(parents.get('memory') ?? '', id, 'memory.oom_control');
      let outOfMemory = false;
      const look = (): boolean => {
        outOfMemory ||= counter(files.read(oom), 'oom_kill') > 0;
        return outOfMemory;
      };
      return {
        prefix: [],
        env: {},
        enter: ({ pid }) => {
          for (const leaf of leaves(id)) files.write(path.join(leaf, 'cgroup.procs'), String(pid));
        },
        isOutOfMemory: look,
        release: async () => {
          look();
          await remove(id);
        },
      };
    },
    async sweep(isInUse) {
      const ids = new Set([...parents.values()].flatMap((parent) => files.folders(parent)));
      const left = [...ids].filter((id) => !isInUse(id));
      await Promise.all(left.map(remove));
      // A host that starts no sandbox leaves nothing; the first one makes them again.
      for (const parent of parents.values()) files.removeFolder(parent);
      return left.length;
    },
  };
}
