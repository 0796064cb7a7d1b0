/** The driver that `NANOCLAW_RUNTIME` names, at each start anew: what runs goes on in the one that it was started by. */
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { uptime } from 'node:os';
import path from 'node:path';
import { NanoError } from '../src/errors.ts';
import type { SandboxDriver, SandboxSpec } from '../src/sandbox/driver.ts';
import { writeIfOther } from './files.ts';
import { createImageKeeper } from './image/keeper.ts';
import { DRIVER_NAMES, type DriverName, defaultDriver, isDriverName } from './names.ts';
import { isStillAlive } from './still-alive.ts';

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
  /** In which something may run that nobody could look for when this host began, and the sessions known to be free of it. */
  const unseen = new Set<DriverName>();
  const free = new Set<string>();
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
    const name = writtenDriver(now);
    return !isDriverName(name) || name === 'bubblewrap' || now.NANOCLAW_IMAGE
      ? undefined
      : { name, slug: options.slug, stateDir, env: now, log };
  });

  const marked = (): DriverName[] => {
    mkdirSync(marks, { recursive: true });
    return readdirSync(marks).filter(isDriverName);
  };

  /** The drivers that an earlier host may have used. What the chosen one says comes last: it keeps no other from its turn. */
  async function each<T>(work: (driver: SandboxDriver, name: DriverName) => Promise<T>) {
    const chosen = writtenDriver(env());
    const results: T[] = [];
    let failure: unknown;
    for (const name of new Set([...marked(), ...[chosen].filter(isDriverName)])) {
      try {
        results.push(await work(await driver(name), name));
        unseen.delete(name);
      } catch (error) {
        if (name !== chosen && isFromBeforeBoot(path.join(marks, name))) {
          rmSync(path.join(marks, name));
          continue;
        }
        unseen.add(name);
        if (name === chosen) failure = error;
        else log('what an earlier runtime left can not be looked for', { runtime: name, error });
      }
    }
    return { results, failure };
  }

  /** The chosen one ends its own before a start. Rejects where another may have one that writes into the same folders. */
  async function refuseBeside(spec: SandboxSpec, chosen: DriverName): Promise<void> {
    const others = [...unseen].filter((name) => name !== chosen);
    if (others.length === 0 || free.has(spec.sessionId)) return;
    if (await isStillAlive(spec)) {
      const where = others.join(' or ');
      throw new NanoError(
        'NC_SANDBOX_ENGINE',
        `This conversation's sandbox still runs in ${where}, which does not answer.`,
      );
    }
    free.add(spec.sessionId);
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
      await refuseBeside(spec, name);
      mkdirSync(marks, { recursive: true });
      writeIfOther(path.join(marks, name), Buffer.alloc(0));
      utimesSync(path.join(marks, name), new Date(), new Date());
      try {
        return await (await driver(name)).start(spec);
      } catch (error) {
        throw images.explain(error);
      }
    },
    async adopt() {
      images.begin();
      const { results, failure } = await each(async (one, name) => {
        const sandboxes = await one.adopt();
        if (sandboxes.length > 0) adoptedFrom.add(name);
        for (const { sessionId, exited } of sandboxes) {
          adopted.set(sessionId, name);
          void exited.then(() => adopted.delete(sessionId));
        }
        return sandboxes;
      });
      // The sweep says so as well. Who has been found must not be lost over it: it would run on beside what is started later.
      if (failure !== undefined && results.flat().length === 0) throw failure;
      return results.flat();
    },
    async sweep() {
      const { results, failure } = await each(async (one, name) => {
        const count = await one.sweep();
        if (name !== writtenDriver(env()) && !adoptedFrom.has(name)) rmSync(path.join(marks, name), { force: true });
        return count;
      });
      if (failure !== undefined) throw failure;
      chosenDriver(env()); // or a sentence that it names none
      return results.reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Nothing outlives its machine: an engine that was taken away need not be asked for ever. */
function isFromBeforeBoot(mark: string): boolean {
  const written = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  return written < Date.now() - uptime() * 1000;
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
