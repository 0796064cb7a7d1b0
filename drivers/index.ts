/** The driver that `NANOCLAW_RUNTIME` names, at each start anew: what runs goes on in the one that it was started by. */
import path from 'node:path';
import { NanoError } from '../src/errors.ts';
import type { SandboxDriver, SandboxSpec } from '../src/sandbox/driver.ts';
import type { DockerDriver } from './docker/index.ts';
import { createImageKeeper } from './image/keeper.ts';
import { createMarks, keyOf, settingsAt, type Where, whereNow } from './marks.ts';
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
  /** For what goes as it should; `log` unless given. */
  info?: DriverOptions['log'] | undefined;
}

type Made = SandboxDriver & Partial<Pick<DockerDriver, 'hasLeft'>>;

export function createDriver(options: DriverOptions): SandboxDriver {
  const { stateDir, env, log } = options;
  const made = new Map<string, Promise<Made>>();
  const marks = createMarks(path.join(stateDir, 'drivers'));
  const adoptedFrom = new Set<string>();
  /** In which something may run that nobody could look for when this host began, and the sessions known to be free of it. */
  const unseen = new Map<string, Where>();
  const free = new Set<string>();
  /** Whose sandboxes run, by session. */
  const adopted = new Map<string, Where>();

  function driver(where: Where): Promise<Made> {
    const settings = settingsAt(where, env());
    const { NANOCLAW_OCI_RUNTIME, NANOCLAW_IMAGE, NANOCLAW_RELAY } = settings;
    const key = JSON.stringify([keyOf(where), NANOCLAW_OCI_RUNTIME, NANOCLAW_IMAGE, NANOCLAW_RELAY]);
    const known = made.get(key) ?? make(where.name, options, settings);
    made.set(key, known);
    return known;
  }

  // One that the owner names is the owner's to make.
  const images = createImageKeeper(
    () => {
      const now = env();
      const name = writtenDriver(now);
      return !isDriverName(name) || name === 'bubblewrap' || now.NANOCLAW_IMAGE
        ? undefined
        : { name, slug: options.slug, stateDir, env: now, log, info: options.info };
    },
    () => env().NANOCLAW_IMAGE,
  );

  const chosenPlace = (): Where => whereNow(chosenDriver(env()), env());

  /** The drivers that an earlier host may have used. What the chosen one says comes last: it keeps no other from its turn. */
  async function each<T>(work: (driver: SandboxDriver, where: Where, isChosen: boolean) => Promise<T>) {
    const chosen = [writtenDriver(env())].filter(isDriverName).map((name) => whereNow(name, env()));
    const results: T[] = [];
    let failure: unknown;
    for (const [key, where] of new Map([...marks.all(), ...chosen].map((place) => [keyOf(place), place]))) {
      const isChosen = chosen.some((place) => keyOf(place) === key);
      try {
        results.push(await work(await driver(where), where, isChosen));
        unseen.delete(key);
      } catch (error) {
        if (!isChosen && marks.isFromBeforeBoot(where)) {
          marks.remove(where);
          unseen.delete(key);
          continue;
        }
        unseen.set(key, where);
        if (isChosen) failure = error;
        else
          log('what an earlier runtime left can not be looked for', { runtime: where.name, at: where.address, error });
      }
    }
    return { results, failure };
  }

  /** The chosen one ends its own before a start. Rejects where another may have one that writes into the same folders. */
  async function refuseBeside(spec: SandboxSpec, chosen: Where): Promise<void> {
    const own = await driver(chosen);
    const away = [...unseen.values()].filter((where) => keyOf(where) !== keyOf(chosen) && !free.has(spec.sessionId));
    // What this host gave up, since its engine did not end it.
    const left = (await Promise.all(made.values())).filter((one) => one !== own && one.hasLeft?.(spec.sessionId));
    const others = new Set([...away, ...left].map(({ name }) => name));
    if (others.size === 0) return;
    if (await isStillAlive(spec)) {
      const where = [...others].join(' or ');
      throw new NanoError(
        'NC_SANDBOX_ENGINE',
        `This conversation's sandbox still runs in ${where}, which does not answer or can not end it.`,
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
      return (await driver(chosenPlace())).declare();
    },
    async transport(sessionId) {
      const one = await driver(adopted.get(sessionId) ?? chosenPlace());
      return (await one.transport?.(sessionId)) ?? 'socket';
    },
    async start(spec) {
      const where = chosenPlace();
      await refuseBeside(spec, where);
      marks.write(where);
      try {
        return await (await driver(where)).start(spec);
      } catch (error) {
        throw images.explain(error);
      }
    },
    async adopt() {
      images.begin();
      const { results, failure } = await each(async (one, where) => {
        const sandboxes = await one.adopt();
        if (sandboxes.length > 0) adoptedFrom.add(keyOf(where));
        for (const { sessionId, exited } of sandboxes) {
          adopted.set(sessionId, where);
          void exited.then(() => adopted.delete(sessionId));
        }
        return sandboxes;
      });
      // The sweep says so as well. Who has been found must not be lost over it: it would run on beside what is started later.
      if (failure !== undefined && results.flat().length === 0) throw failure;
      return results.flat();
    },
    async sweep() {
      const { results, failure } = await each(async (one, where, isChosen) => {
        const count = await one.sweep();
        if (!isChosen && !adoptedFrom.has(keyOf(where))) marks.remove(where);
        return count;
      });
      if (failure !== undefined) throw failure;
      chosenDriver(env()); // or a sentence that it names none
      return results.reduce((sum, count) => sum + count, 0);
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
async function make(
  name: DriverName,
  { slug, stateDir, log }: DriverOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Made> {
  if (name === 'bubblewrap') {
    const { createBubblewrapDriver } = await import('./bubblewrap/index.ts');
    return createBubblewrapDriver({ slug, stateDir, log });
  }
  const { createDockerDriver } = await import('./docker/index.ts');
  const { NANOCLAW_OCI_RUNTIME: runtime, NANOCLAW_IMAGE: image } = env;
  // Set to nothing counts as not set.
  return createDockerDriver({
    name,
    slug,
    stateDir,
    env,
    runtime: runtime || undefined,
    image: image || undefined,
    log,
  });
}
