/** The engine as it is now: looked for when it is needed, and again after it was away, since another one may have come. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { NanoError } from '../../src/errors.ts';
import { writeIfOther } from '../files.ts';
import { type Containers, createContainers } from './containers.ts';
import { type Engine, findEngine } from './engine.ts';
import { refuseRuntime } from './oci-runtime.ts';
import { seccompProfile } from './seccomp.ts';
import { EngineTrouble } from './symptoms.ts';

export interface Connected {
  engine: Engine;
  containers: Containers;
  /** As `seccomp=` wants it. */
  seccomp: string | null;
}

export interface Connection {
  /** Rejects with NC_SANDBOX_ENGINE while nobody answers, NC_SANDBOX_UNUSABLE when what answers can't be used. */
  get(): Promise<Connected>;
  /** Whether this failure says that the engine is away, or is another by now: the next `get` looks anew. */
  isLost(error: unknown): boolean;
}

export interface ConnectionParts {
  /** Where one may listen. */
  sockets(): readonly string[];
  image: string;
  runtime: string | undefined;
  stateDir: string;
  /** What was learnt of the engine holds no more. */
  onLost(): void;
}

export function createConnection({ sockets, image, runtime, stateDir, onLost }: ConnectionParts): Connection {
  let current: Promise<Connected> | undefined;

  async function connect(): Promise<Connected> {
    const engine = await findEngine(sockets());
    const unknown = refuseRuntime(engine, runtime);
    if (unknown) throw new EngineTrouble(unknown);
    mkdirSync(stateDir, { recursive: true });
    return { engine, containers: createContainers(engine, image), seccomp: seccompFor(engine, stateDir) };
  }

  async function attempt(): Promise<Connected> {
    current ??= connect();
    const asked = current;
    try {
      return await asked;
    } catch (error) {
      if (current === asked) current = undefined;
      throw error;
    }
  }

  return {
    async get() {
      const isOwn = current === undefined;
      // What another had begun may have failed because the engine wasn't back then.
      return attempt().catch((error: unknown) => {
        if (isOwn) throw error;
        return attempt();
      });
    },
    isLost(error) {
      const lost =
        error instanceof NanoError && (error.code === 'NC_SANDBOX_ENGINE' || error.code === 'NC_SANDBOX_UNUSABLE');
      if (lost) {
        current = undefined;
        onLost();
      }
      return lost;
    },
  };
}

/** Docker takes the profile itself, Podman a file's path. */
function seccompFor({ name, machine }: Engine, stateDir: string): string | null {
  if (machine === null) return null;
  const profile = JSON.stringify(seccompProfile(machine));
  if (name === 'Docker') return profile;
  const file = path.join(stateDir, `seccomp-${machine}.json`);
  writeIfOther(file, Buffer.from(profile));
  return file;
}
