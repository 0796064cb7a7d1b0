/** From the mounts that a caller wants to the steps that hold: parents first, and no ancestor that the agent could rename. */
import path from 'node:path';
import type { Mount } from '../src/sandbox/driver.ts';

/** One bind: `source` (plus `below`, inside it) at `target`. */
export interface MountStep extends Mount {
  /** Relative to the source; empty for the source itself. Only resolved inside the first stage, where links lead nowhere. */
  below: string;
}

/** A mount point inside a writable mount: it has to exist on the host before the start. */
export interface MountPoint {
  /** The writable mount's source. */
  root: string;
  /** Path components below it. */
  components: readonly string[];
  /** What will be mounted there. */
  source: string;
}

const contains = (parent: string, child: string): boolean => child.startsWith(parent === '/' ? '/' : `${parent}/`);
const depth = (target: string): number => target.split('/').length;

/** Why these mounts can't be made, or null. */
export function refuseMounts(mounts: readonly Mount[]): string | null {
  for (const { source, target } of mounts) {
    for (const value of [source, target]) {
      if (!path.isAbsolute(value) || path.normalize(value) !== value || value.endsWith('/')) {
        return `not a plain absolute path: ${JSON.stringify(value)}`;
      }
    }
    const taken = ['/proc', '/dev', '/sys'].find((own) => target === own || contains(own, target));
    if (taken) return `${target} lies in the sandbox's own ${taken}`;
    if (target === '/usr' || (contains('/usr', target) && !contains('/usr/local', target))) {
      return `${target} lies in the system's read-only /usr; only below /usr/local is there room`;
    }
    // What an agent may write may be swapped for a link before the next start.
    const writable = mounts.find((other) => other.mode === 'rw' && contains(other.source, source));
    if (writable) return `${source} lies inside ${writable.source}, which the agent may write`;
  }
  const targets = mounts.map((mount) => mount.target);
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  return twice ? `two mounts at ${twice}` : null;
}

function enclosing(mounts: readonly Mount[], target: string): Mount | undefined {
  return mounts
    .filter((mount) => contains(mount.target, target))
    .reduce<Mount | undefined>(
      (best, mount) => (best && depth(best.target) >= depth(mount.target) ? best : mount),
      undefined,
    );
}

/**
 * A folder between a writable mount and one nested in it is no mount itself, so the agent could rename it, and what was
 * read-only with it. It is bound onto itself: then the kernel answers EBUSY.
 */
export function mountSteps(mounts: readonly Mount[]): MountStep[] {
  const steps = new Map<string, MountStep>();
  for (const mount of mounts) {
    steps.set(mount.target, { ...mount, below: '' });
    const parent = enclosing(mounts, mount.target);
    if (parent?.mode !== 'rw') continue;
    for (let at = path.dirname(mount.target); at !== parent.target; at = path.dirname(at)) {
      steps.set(at, { ...parent, target: at, below: path.relative(parent.target, at) });
    }
  }
  return [...steps.values()].sort((a, b) => depth(a.target) - depth(b.target) || (a.target < b.target ? -1 : 1));
}

export function mountPoints(mounts: readonly Mount[]): MountPoint[] {
  return mounts
    .map((mount) => ({ mount, parent: enclosing(mounts, mount.target) }))
    .filter((pair) => pair.parent?.mode === 'rw')
    .map(({ mount, parent }) => ({
      root: parent?.source ?? '',
      components: path.relative(parent?.target ?? '', mount.target).split('/'),
      source: mount.source,
    }))
    .sort((a, b) => a.components.length - b.components.length);
}
