/** Where something of ours may have been left: a file for each driver and engine that anything was started in. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { uptime } from 'node:os';
import path from 'node:path';
import { writeIfOther } from './files.ts';
import { type DriverName, isDriverName } from './names.ts';

export interface Where {
  name: DriverName;
  /** As the setting names its engine. Empty: looked for in the usual places. */
  address: string;
}

type Settings = Readonly<Record<string, string | undefined>>;

const VARIABLE = { docker: 'DOCKER_HOST', podman: 'CONTAINER_HOST' } as const;

export const whereNow = (name: DriverName, env: Settings): Where => ({
  name,
  address: (name === 'bubblewrap' ? undefined : env[VARIABLE[name]]) ?? '',
});

/** The settings, with the engine's address as it was. */
export const settingsAt = ({ name, address }: Where, env: Settings): Settings =>
  name === 'bubblewrap' ? env : { ...env, [VARIABLE[name]]: address || undefined };

/** The same for the same place. */
export function keyOf({ name, address }: Where): string {
  return address ? `${name}-${createHash('sha256').update(address).digest('hex').slice(0, 16)}` : name;
}

export function createMarks(folder: string) {
  const fileOf = (where: Where): string => path.join(folder, keyOf(where));
  return {
    all(): Where[] {
      mkdirSync(folder, { recursive: true });
      return readdirSync(folder).flatMap((file) => {
        const name = /^([a-z]+)(?:-[0-9a-f]{16})?$/.exec(file)?.[1] ?? '';
        return isDriverName(name) ? [{ name, address: readFileSync(path.join(folder, file), 'utf8') }] : [];
      });
    },
    write(where: Where): void {
      // Elsewhere nothing is ever started.
      if (where.address && !where.address.startsWith('unix://')) return;
      mkdirSync(folder, { recursive: true });
      writeIfOther(fileOf(where), Buffer.from(where.address));
      utimesSync(fileOf(where), new Date(), new Date());
    },
    remove: (where: Where): void => rmSync(fileOf(where), { force: true }),
    /** Nothing outlives its machine: an engine that was taken away need not be asked for ever. */
    isFromBeforeBoot(where: Where): boolean {
      const written = statSync(fileOf(where), { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
      return written < Date.now() - uptime() * 1000;
    },
  };
}
