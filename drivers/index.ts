/** The driver that `NANOCLAW_RUNTIME` names, at each start anew: what runs goes on in the one that it was started by. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { NanoError } from '../src/errors.ts';
import type { SandboxDriver } from '../src/sandbox/driver.ts';
import { writeIfOther } from './files.ts';
import { createImageKeeper } from './image/keeper.ts';
import { DRIVER_NAMES, type DriverName, defaultDriver, isDriverName } from './names.ts';

export interface DriverOptions {
  slug: string;
  /** A folder on the host for what a driver keeps; made if it isn't there. */
  stateDir: string;
  /** Settings as they are now: `NANOCLAW_RUNTIME`, `NANOCLAW_OCI_RUNTIME`, `NANOCLAW_IMAGE`, `NANOCLAW_RELAY`,
   * `DOCKER_HOST`, `CONTAINER_HOST`. */
  env(): Readonly<Record<string, string | undefined>>;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

export function createDriver(options: DriverOptions): SandboxDriver {
  const { stateDir, env, log } = options;
  const made = new Map<string, Promise<SandboxDriver>>();
  // A file for each driver that may have left something.
  const marks = path.join(stateDir, 'drivers');
  const adoptedFrom = new Set<DriverName>();
  /** Whose sandboxes run, by session. */
  const adopted = new Map<string, DriverName>();

  function driver(name: DriverName): Promise<SandboxDriver> {
    const { NANOCLAW_OCI_RUNTIME, NANOCLAW_IMAGE, NANOCLAW_RELAY, DOCKER_HOST, CONTAINER_HOST } = env();
    const key = JSON.stringify([
      name,
      NANOCLAW_OCI_RUNTIME,
      NANOCLAW_IMAGE,
      NANOCLAW_RELAY,
      DOCKER_HOST,
      CONTAINER_HOST,
    ]);
    const known = made.get(key) ?? make(name, options);
    made.set(key, known);
    return known;
  }

  // One that the owner names is the owner's to make.
  const images = createImageKeeper(() => {
    const now = env();
    const name = chosenDriver(now);
    return name === 'bubblewrap' || now.NANOCLAW_IMAGE
      ? undefined
      : { name, slug: options.slug, stateDir, env: now, log };
  });

  const marked = (): DriverName[] => {
    mkdirSync(marks, { recursive: true });
    return readdirSync(marks).filter(isDriverName);
  };

  /** The drivers that an earlier host may have used. Only the chosen one has to answer. */
  async function each<T>(work: (driver: SandboxDriver, name: DriverName) => Promise<T>): Promise<T[]> {
    const chosen = chosenDriver(env());
    const results: T[] = [];
    for (const name of new Set([...marked(), chosen])) {
      try {
        results.push(await work(await driver(name), name));
      } catch (error) {
        if (name === chosen) throw error;
        log('what an earlier runtime left can not be looked for', { runtime: name, error });
      }
    }
    return results;
  }

  return {
    // Only said: a host whose setting names none still tells how it is.
    get name() {
      return writtenDriver(env());
    },
    async declare() {
      return (await driver(chosenDriver(env()))).declare();
    },
    async transport(sessionId) {
      const one = await driver(adopted.get(sessionId) ?? chosenDriver(env()));
      return (await one.transport?.(sessionId)) ?? 'socket';
    },
    async start(spec) {
      const name = chosenDriver(env());
      mkdirSync(marks, { recursive: true });
      writeIfOther(path.join(marks, name), Buffer.alloc(0));
      try {
        return await (await driver(name)).start(spec);
      } catch (error) {
        throw images.explain(error);
      }
    },
    async adopt() {
      images.begin();
      const found = await each(async (one, name) => {
        const sandboxes = await one.adopt();
        if (sandboxes.length > 0) adoptedFrom.add(name);
        for (const { sessionId, exited } of sandboxes) {
          adopted.set(sessionId, name);
          void exited.then(() => adopted.delete(sessionId));
        }
        return sandboxes;
      });
      return found.flat();
    },
    async sweep() {
      const ended = await each(async (one, name) => {
        const count = await one.sweep();
        if (name !== chosenDriver(env()) && !adoptedFrom.has(name)) rmSync(path.join(marks, name), { force: true });
        return count;
      });
      return ended.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Throws NC_SANDBOX_UNUSABLE when the setting names none that there is. */
export function chosenDriver(env: Readonly<Record<string, string | undefined>>): DriverName {
  const name = writtenDriver(env);
  if (isDriverName(name)) return name;
  throw new NanoError(
    'NC_SANDBOX_UNUSABLE',
    `NANOCLAW_RUNTIME is ${JSON.stringify(name)}; there are ${DRIVER_NAMES.join(', ')}.`,
  );
}

/** Set to nothing counts as not set, as in `.env`. */
function writtenDriver({ NANOCLAW_RUNTIME }: Readonly<Record<string, string | undefined>>): string {
  return NANOCLAW_RUNTIME || defaultDriver(process.platform);
}

/** Only what is used is loaded. */
async function make(name: DriverName, { slug, stateDir, env, log }: DriverOptions): Promise<SandboxDriver> {
  if (name === 'bubblewrap') {
    const { createBubblewrapDriver } = await import('./bubblewrap/index.ts');
    return createBubblewrapDriver({ slug, stateDir, log });
  }
  const { createDockerDriver } = await import('./docker/index.ts');
  const { NANOCLAW_OCI_RUNTIME: runtime, NANOCLAW_IMAGE: image } = env();
  // Set to nothing counts as not set.
  return createDockerDriver({
    name,
    slug,
    stateDir,
    env: env(),
    runtime: runtime || undefined,
    image: image || undefined,
    log,
  });
}
