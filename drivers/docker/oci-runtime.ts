/** The OCI runtime that was asked for by name: whether the engine can take it, and whether a container has it. Pure. */
import path from 'node:path';
import type { Engine } from './engine.ts';
import type { Diagnosis } from './symptoms.ts';

type Known = Pick<Engine, 'name' | 'runtimes' | 'defaultRuntime'>;

/** Podman names its default one by its path. */
const isNamed = (runtime: string, asked: string): boolean => runtime === asked || path.basename(runtime) === asked;

/** Why it can't be had, or null. Podman's API leaves it out without a word, that of its own as well as Docker's. */
export function refuseRuntime(engine: Known, asked: string | undefined): Diagnosis | null {
  if (asked === undefined) return null;
  if (engine.name === 'Podman') {
    if (isNamed(engine.defaultRuntime, asked)) return null;
    return {
      code: 'NC_SANDBOX_UNUSABLE',
      reason: `NANOCLAW_OCI_RUNTIME is ${JSON.stringify(asked)}, and Podman's API takes none: it runs containers with ${engine.defaultRuntime || 'its own'}.`,
      remedy: `Set \`runtime = "${asked}"\` under [engine] in containers.conf and restart Podman, or take NANOCLAW_OCI_RUNTIME away.`,
    };
  }
  if (engine.runtimes.includes(asked)) return null;
  return {
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `NANOCLAW_OCI_RUNTIME is ${JSON.stringify(asked)}; the engine has ${engine.runtimes.join(', ') || 'none that it names'}.`,
    remedy: 'Add it to the engine (/etc/docker/daemon.json), or choose another.',
  };
}

/** Why a container that was made is not what was asked for, or null. `found` is what the engine says that it has. */
export function refuseMade(found: string, asked: string | undefined): string | null {
  if (asked === undefined || isNamed(found, asked)) return null;
  return `The engine was asked for the runtime ${asked}, and made a container with ${found || 'one that it does not name'}.`;
}
