/** What is mounted where, made ready on the host; and how one knows from inside that it is that. */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import type { Mount } from '../../src/sandbox/driver.ts';
import { writeIfOther } from '../files.ts';
import { ensureMountPoint, identityOf, refuseSource } from '../mount-points.ts';
import { type MountStep, mountPoints, mountSteps } from '../mounts.ts';
import type { ContainerUser } from './body.ts';
import { below, type Expected } from './gate.ts';

export interface Places {
  steps: readonly MountStep[];
  /** By target, in the order of the steps. */
  expected: ReadonlyMap<string, Expected>;
}

/** Throws NC_SANDBOX_START when something is missing, or could be swapped by the agent. */
export function preparePlaces(
  mounts: readonly Mount[],
  swappableBy: number | null,
  unmountable: RegExp | null,
): Places {
  const strange = mounts.flatMap(({ source, target }) => [source, target]).find((at) => unmountable?.test(at));
  if (strange) {
    throw new NanoError(
      'NC_SANDBOX_START',
      `This engine can't mount a path with a comma or a double quote: ${strange}`,
    );
  }
  try {
    for (const { source } of swappableBy === null ? [] : mounts) {
      const reason = refuseSource(source, swappableBy ?? 0);
      if (reason) throw new NanoError('NC_SANDBOX_START', reason);
    }
    const passed = new Map<string, string>();
    for (const point of mountPoints(mounts)) {
      for (const [index, identity] of ensureMountPoint(point).entries()) {
        passed.set(path.join(point.root, ...point.components.slice(0, index + 1)), identity);
      }
    }
    const steps = mountSteps(mounts);
    const expected = steps.map(({ source, below: part, target, identity }): [string, Expected] => {
      const at = below(source, part);
      const known = part === '' ? identity : passed.get(at);
      return [target, { source: at, identity: known ?? identityOf(statSync(at, { bigint: true })) }];
    });
    return { steps, expected: new Map(expected) };
  } catch (error) {
    if (error instanceof NanoError) throw error;
    throw new NanoError('NC_SANDBOX_START', errorText(error), { cause: error });
  }
}

/**
 * Programs ask who they are: a user of ours, whatever id the sandbox has. In a folder for each id, since one is mounted while others start.
 * An engine's own names of machines are this machine's and its network's; only who is in a network needs those that it makes.
 */
export function generatedFiles(
  stateDir: string,
  { uid, gid }: ContainerUser,
  isInNetwork: boolean,
): { source: string; target: string }[] {
  const folder = path.join(stateDir, 'etc', String(uid));
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const files = {
    passwd: `node:x:${uid}:${gid}::/home/node:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
    group: `node:x:${gid}:\nnogroup:x:65534:\n`,
    ...(isInNetwork ? {} : { hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n', 'resolv.conf': '' }),
  };
  return Object.entries(files).map(([name, text]) => {
    const source = path.join(folder, name);
    writeIfOther(source, Buffer.from(text));
    return { source, target: `/etc/${name}` };
  });
}
