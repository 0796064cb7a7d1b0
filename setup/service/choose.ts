import { readFileSync } from 'node:fs';
import { NanoError } from '../../src/errors.ts';
import { hasCommand } from './call.ts';
import { createLaunchd } from './launchd.ts';
import type { Manager } from './manager.ts';
import { inspect, type Whose } from './marker.ts';
import type { Plan } from './plan.ts';
import { createSupervisor } from './supervisor.ts';
import { createSystemd, hasSystemd } from './systemd.ts';

export type Kind = 'systemd-system' | 'systemd-user' | 'launchd' | 'supervisor';

export interface Machine {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** Whether systemd's manager of the system, and that of this user, can be asked. */
  systemManager: boolean;
  userManager: boolean;
}

/** The best way to keep a host running there. */
export function chooseKind({ platform, isRoot, systemManager, userManager }: Machine): Kind {
  if (platform === 'darwin') return 'launchd';
  if (isRoot && systemManager) return 'systemd-system';
  return !isRoot && userManager ? 'systemd-user' : 'supervisor';
}

const make: Readonly<Record<Kind, (plan: Plan) => Manager>> = {
  'systemd-system': (plan) => createSystemd(plan, 'system'),
  'systemd-user': (plan) => createSystemd(plan, 'user'),
  launchd: createLaunchd,
  supervisor: createSupervisor,
};

/** Throws NC_SERVICE: our own supervisor would end at its start, in a log that nobody reads. */
export function requireTools(kind: Kind, path: string | undefined): void {
  if (kind === 'supervisor' && !hasCommand('flock', path))
    throw new NanoError('NC_SERVICE', 'There is no `flock` here; it belongs to util-linux.');
}

/** For an install that has none yet. Throws NC_SERVICE. */
export async function chooseManager(plan: Plan): Promise<Manager> {
  const kind = chooseKind({
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    systemManager: await hasSystemd('system'),
    userManager: await hasSystemd('user'),
  });
  requireTools(kind, plan.environment.PATH);
  return make[kind](plan);
}

/** Throws NC_SERVICE_FILE when a file that isn't ours lies where this install's service would have its own. */
export function refuseForeign(plan: Plan): void {
  const foreign = managersFor(plan).find((manager) => whose(manager, plan) === 'foreign');
  if (foreign)
    throw new NanoError('NC_SERVICE_FILE', `${foreign.file} was not made for this install, and stays as it is.`);
}

/** The one that is installed. Looks at files alone: it comes before every start. */
export function findManager(plan: Plan): Manager | undefined {
  return managersFor(plan).find((manager) => ['mine', 'edited'].includes(whose(manager, plan)));
}

function managersFor(plan: Plan): Manager[] {
  const kinds: Kind[] = process.platform === 'darwin' ? ['launchd'] : ['systemd-system', 'systemd-user', 'supervisor'];
  return kinds.map((kind) => make[kind](plan));
}

export function whose(manager: Manager, plan: Plan): Whose {
  return inspect(readDefinition(manager.file), plan.owner);
}

export function readDefinition(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
