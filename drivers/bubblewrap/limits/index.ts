/** Chooses the strongest way that this machine offers, best first. */
import { readFileSync } from 'node:fs';
import { realCgroupFiles } from './cgroup-files.ts';
import { createCgroupV1, findV1Controllers } from './cgroup-v1.ts';
import { createCgroupV2, findV2Mount, findV2Path } from './cgroup-v2.ts';
import type { LimitMeans } from './means.ts';
import { createSystemdScope } from './systemd-scope.ts';
import { createWatchdog } from './watchdog.ts';

export type { LimitGroup, LimitMeans, Resource } from './means.ts';

/** `label` names every group made here: it carries the install's slug. */
export function chooseLimits(label: string, env: NodeJS.ProcessEnv = process.env): LimitMeans {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const mount = findV2Mount(mounts);
  const ownPath = findV2Path(readFileSync('/proc/self/cgroup', 'utf8'));
  const v2 = mount === null ? null : createCgroupV2(realCgroupFiles, { mount, ownPath, pid: process.pid }, label);
  if (v2) return v2;
  const scope = mount === null ? null : createSystemdScope(label, mount, env);
  if (scope) return scope;
  return createCgroupV1(realCgroupFiles, findV1Controllers(mounts), label) ?? createWatchdog();
}
