/** A transient scope of the user's systemd manager: limits for a host without root. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { SandboxLimits } from '../../../src/sandbox/driver.ts';
import { counter, realCgroupFiles } from './cgroup-files.ts';
import { findV2Path } from './cgroup-v2.ts';
import type { LimitMeans } from './means.ts';

const LOOK_EVERY_MS = 1000;

/** `env -i` at the end: the manager's address must not show in the environment of the sandbox's first process. */
export function scopePrefix(unit: string, limits: SandboxLimits): string[] {
  const properties = [
    `MemoryMax=${Math.floor(limits.memoryBytes)}`,
    'MemorySwapMax=0',
    `TasksMax=${limits.pids}`,
    `CPUQuota=${Math.round(limits.cpus * 100)}%`,
  ];
  return [
    ...['systemd-run', '--user', '--scope', '--quiet', '--collect', `--unit=${unit}`],
    ...properties.flatMap((property) => ['-p', property]),
    ...['--', '/usr/bin/env', '-i'],
  ];
}

/** Null when no user manager answers (no login session, no lingering). */
export function createSystemdScope(label: string, cgroupMount: string, env: NodeJS.ProcessEnv): LimitMeans | null {
  const { XDG_RUNTIME_DIR, PATH = '/usr/bin:/bin', DBUS_SESSION_BUS_ADDRESS } = env;
  const unified = (realCgroupFiles.read(`${cgroupMount}/cgroup.controllers`) ?? '').includes('memory');
  if (!unified || !XDG_RUNTIME_DIR || !existsSync(`${XDG_RUNTIME_DIR}/systemd/private`)) return null;
  const needed = { XDG_RUNTIME_DIR, PATH, ...(DBUS_SESSION_BUS_ADDRESS ? { DBUS_SESSION_BUS_ADDRESS } : {}) };
  const systemctl = (...args: string[]) =>
    spawnSync('systemctl', ['--user', ...args], { env: needed, encoding: 'utf8', timeout: 10_000 });
  if (systemctl('is-system-running').error) return null;
  const unit = (id: string): string => `${label}-${id}.scope`;
  return {
    name: 'systemd scope',
    holds: new Set(['memory', 'cpu', 'pids']),
    open(id, limits) {
      let events: string | null = null;
      let outOfMemory = false;
      let timer: NodeJS.Timeout | undefined;
      // systemd removes the group right after its last process, and the counter with it.
      const look = (): boolean => {
        if (events !== null) outOfMemory ||= counter(realCgroupFiles.read(events), 'oom_kill') > 0;
        return outOfMemory;
      };
      return {
        prefix: scopePrefix(unit(id), limits),
        env: needed,
        enter: ({ pid }) => {
          const own = realCgroupFiles.read(`/proc/${pid}/cgroup`);
          events = `${cgroupMount}${findV2Path(own ?? '')}/memory.events`;
          timer = setInterval(look, LOOK_EVERY_MS).unref();
        },
        isOutOfMemory: look,
        release: async () => clearInterval(timer),
      };
    },
    async sweep(isInUse) {
      const listed = systemctl('list-units', '--plain', '--no-legend', '--type=scope', `${label}-*.scope`).stdout ?? '';
      const left = listed
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '')
        .filter((name) => name.startsWith(`${label}-`) && !isInUse(name.slice(label.length + 1, -'.scope'.length)));
      if (left.length > 0) systemctl('stop', ...left);
      return left.length;
    },
  };
}
