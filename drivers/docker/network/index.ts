/**
 * The way to the relay where a Unix socket doesn't cross: a network for each sandbox, with nobody in it but the bridge, which
 * calls the host. docs/decisions/0014-relay-by-network.md
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { INSIDE } from '../../../protocol/container-config.ts';
import { LABEL } from '../body.ts';
import type { Connected } from '../connection.ts';
import { type Frame, readFrames } from '../frames.ts';
import { hear, inTime } from '../launch.ts';
import { isLeftover } from '../leftovers.ts';
import { EngineTrouble } from '../symptoms.ts';
import { bridgeBody } from './bridge.ts';
import { createNetworkCalls, type ListedNetwork, type NetworkCalls } from './calls.ts';
import { SUBNETS, type Subnet, subnetAt } from './subnets.ts';

/** What a container has to be given to be in it. */
export interface Network {
  name: string;
  subnet: Subnet;
}

export interface Networks {
  /** Where the host has to listen: the bridge calls there. The same for as long as this process lives. */
  place(): Promise<{ host: string; port: number }>;
  /** One for a sandbox that is about to be made, with nobody in it yet. */
  make(sessionId: string): Promise<Network>;
  /** The relay can be called from it from now on. */
  join(network: Network): Promise<void>;
  /** Its sandbox is gone. Never rejects: an engine that is away does it later. */
  leave(name: string): Promise<void>;
  /** Those of sandboxes that an earlier host has started go on, with this host's bridge. */
  takeOver(names: ReadonlySet<string>): Promise<void>;
  /** Those who try a sandbox at this moment, beside this process: their networks stay, and their bridges have to. */
  trying(): Promise<ReadonlySet<string>>;
  /** Removes what an earlier host left. */
  sweep(): Promise<void>;
}

export interface NetworksParts {
  slug: string;
  image: string;
  /** Of this process. */
  host: string;
  connected(): Promise<Connected>;
  /** Whether this failure says that the engine is away. */
  isLost(error: unknown): boolean;
  owe(what: string, pay: () => Promise<unknown>): void;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** Where networks of this install carry what the bridge is called by in them. */
const BRIDGE_LABEL = 'org.nanoclaw.bridge';
const TRIES = 20;
const START_TIMEOUT_MS = 60_000;
const SCRIPT = path.join(import.meta.dirname, 'forward.ts');

/** By any of this process, each name once. */
let made = 0;
const takenOver = new Set<string>();

export function createNetworks(parts: NetworksParts): Networks {
  const { slug, image, host, log } = parts;
  /** By name, with the bridge's address. */
  const live = new Map<string, string>();
  let listening: Promise<{ host: string; port: number }> | undefined;
  let bridge: Promise<string> | undefined;
  let from = Math.floor(Math.random() * SUBNETS);

  const calls = async (): Promise<NetworkCalls> => createNetworkCalls((await parts.connected()).engine, image);

  async function findPlace(): Promise<{ host: string; port: number }> {
    const { engine } = await parts.connected();
    const none = (cause?: unknown) =>
      new EngineTrouble(
        {
          code: 'NC_SANDBOX_UNUSABLE',
          reason: `By a network no sandbox of this engine can reach the relay (${engine.name}${engine.rootless ? ', rootless' : ''}).`,
          remedy: 'Set NANOCLAW_RELAY=socket, or use Docker, with its default bridge.',
        },
        { cause },
      );
    if (engine.name !== 'Docker' || engine.rootless) throw none();
    // An engine with a kernel of its own hands what is sent to the host's name on to this machine's loopback.
    const address = engine.sameKernel ? await (await calls()).machineAddress() : '127.0.0.1';
    if (address === undefined) throw none();
    try {
      return { host: address, port: await freePort(address) };
    } catch (error) {
      throw none(error);
    }
  }

  function place() {
    listening ??= findPlace().catch((error: unknown) => {
      listening = undefined;
      throw error;
    });
    return listening;
  }

  function ensureBridge(): Promise<string> {
    bridge ??= startBridge().catch((error: unknown) => {
      bridge = undefined;
      throw error;
    });
    return bridge;
  }

  async function startBridge(): Promise<string> {
    const [{ engine, containers, seccomp }, { port }] = await Promise.all([parts.connected(), place()]);
    const { sameKernel, remapsUsers, selinux } = engine;
    const machine = { sameKernel, remapsUsers, selinux, seccomp };
    const script = readFileSync(SCRIPT, 'utf8');
    const listenOn = INSIDE.relay.port;
    const body = bridgeBody({ image, script, port, listenOn, ...machine, install: slug, host });
    const id = await containers.create(`nanoclaw-${slug}-relay-${host.slice(0, 8)}-${++made}`, body);
    const done = new AbortController();
    try {
      const pipe = await containers.attach(id, done.signal);
      pipe.on('error', () => undefined); // whoever reads hears of it
      const frames = readFrames(pipe);
      await containers.start(id);
      await inTime(START_TIMEOUT_MS, hear(frames, 'ready'));
      unref(pipe);
      void watch(id, frames);
      return id;
    } catch (error) {
      done.abort();
      await containers.remove(id).catch(() => undefined); // its input is closed: it ends by itself
      throw error;
    }
  }

  /** It may end by a fault of its own, or with its engine. Whoever is left gets another one. */
  async function watch(id: string, frames: AsyncGenerator<Frame, void>): Promise<void> {
    try {
      for await (const { bytes } of frames) log("the relay's bridge says", { line: bytes.toString().slice(0, 500) });
    } catch {
      // The engine went away, and the connection broke off.
    }
    if ((await bridge?.catch(() => undefined)) !== id) return;
    bridge = undefined;
    if (live.size > 0) log("the relay's bridge ended", { sandboxes: live.size });
    const replace = async () => {
      // Perhaps only the connection to it has: two can't have one address.
      await (await parts.connected()).containers.remove(id);
      if (live.size > 0) await joinAll();
    };
    await replace().catch((error: unknown) => {
      if (parts.isLost(error)) parts.owe("the relay's bridge", replace);
      else log("the relay's bridge did not come back", { error });
    });
  }

  async function joinAll(): Promise<void> {
    const [id, network] = await Promise.all([ensureBridge(), calls()]);
    for (const [name, address] of live) {
      await network.connect(name, id, address).catch((error: unknown) => {
        if (parts.isLost(error)) throw error;
        log('a sandbox stays without its relay', { network: name, error }); // or it has just ended
      });
    }
  }

  async function remove(name: string): Promise<void> {
    live.delete(name);
    takenOver.delete(name);
    await (await calls()).remove(name);
  }

  const others = async () =>
    (await (await calls()).list(slug)).filter(
      ({ name, labels }) => labels[LABEL.host] !== host && !takenOver.has(name),
    );

  const isLeft = ({ name, ...rest }: ListedNetwork): boolean => isLeftover({ id: name, ...rest }, Date.now());

  return {
    place,

    async make(sessionId) {
      const network = await calls();
      const name = `nanoclaw-${slug}-${sessionId}-${host.slice(0, 8)}-${++made}`;
      for (let tried = 0; tried < TRIES; tried++) {
        const subnet = subnetAt(from++);
        const labels = {
          [LABEL.install]: slug,
          [LABEL.session]: sessionId,
          [LABEL.host]: host,
          [BRIDGE_LABEL]: subnet.bridge,
        };
        if (await network.create(name, subnet, labels)) return { name, subnet };
        from = Math.floor(Math.random() * SUBNETS);
      }
      throw new EngineTrouble({
        code: 'NC_SANDBOX_START',
        reason: 'The engine has no free addresses for the network of a sandbox.',
        remedy: '`docker network prune` removes networks that nobody uses.',
      });
    },

    async join({ name, subnet }) {
      const id = await ensureBridge();
      live.set(name, subnet.bridge);
      await (await calls()).connect(name, id, subnet.bridge);
    },

    async leave(name) {
      try {
        await remove(name);
      } catch (error) {
        if (parts.isLost(error)) parts.owe(name, () => remove(name));
        else log('the network of a sandbox stays', { network: name, error });
      }
    },

    async takeOver(names) {
      const found = (await others()).filter(({ name }) => names.has(name));
      const network = await calls();
      await Promise.all(found.map(({ name, labels }) => network.cutOff(name, labels[BRIDGE_LABEL] ?? '')));
      for (const { name, labels } of found) {
        live.set(name, labels[BRIDGE_LABEL] ?? '');
        takenOver.add(name);
      }
      if (found.length > 0) await joinAll();
    },

    async trying() {
      const theirs = (await others()).filter((network) => !isLeft(network));
      return new Set(theirs.map(({ labels }) => labels[LABEL.host] ?? ''));
    },

    async sweep() {
      for (const network of await others()) if (isLeft(network)) await remove(network.name);
      if (live.size > 0) return;
      const own = await bridge?.catch(() => undefined);
      bridge = undefined;
      if (own !== undefined) await (await parts.connected()).containers.remove(own);
    },
  };
}

async function freePort(address: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.on('error', reject).listen({ host: address, port: 0 }, () => {
    const found = server.address();
    const port = typeof found === 'object' && found ? found.port : 0;
    server.close(() => resolve(port));
  });
  return promise;
}

/** A process that has nothing else to do ends, and its bridge after it. */
function unref(pipe: Duplex): void {
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}
