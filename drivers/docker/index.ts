/** The docker driver: an engine with Docker's API on a socket of this machine. Sandboxes outlive the host and are adopted. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import type { DriverDeclaration, Sandbox, SandboxDriver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';
import { readHardLimits } from '../hard-limits.ts';
import { hostUid as uidOf } from '../host-uid.ts';
import { refuseSpec } from '../spec.ts';
import { TRIAL_LIMITS, TRIAL_SCRIPT } from '../trial.ts';
import { containerBody, LABEL, userFor } from './body.ts';
import { createConnection } from './connection.ts';
import type { Listed } from './containers.ts';
import { judge } from './declaration.ts';
import { follow } from './follow.ts';
import { refuseSeen } from './gate.ts';
import { launch } from './launch.ts';
import { adopted, createLeft, host, isLeftover, TRIAL } from './leftovers.ts';
import { createNetworks } from './network/index.ts';
import { openReach, type Reach } from './network/reach.ts';
import { machineTakesFromAnywhere } from './network/reverse-path.ts';
import { createWays, NETWORK_LABEL } from './network/ways.ts';
import { createOwed } from './owed.ts';
import { generatedFiles, preparePlaces } from './places.ts';
import { isSealed, sealed } from './seal.ts';
import { engineSockets } from './sockets.ts';
import { EngineTrouble } from './symptoms.ts';

export interface DockerOptions {
  /** Which engine's sockets are looked at. */
  name?: 'docker' | 'podman';
  /** Labels what is this install's, and names its image. */
  slug: string;
  /** A folder on the host for small generated files; made if it isn't there. */
  stateDir: string;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** The engine's; looked for in the usual places unless given. */
  socket?: string | undefined;
  /** Says where an engine listens. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Instead of `nanoclaw-agent-v2-<slug>:latest`. */
  image?: string | undefined;
  /** An OCI runtime that the engine knows by this name (`runsc`), instead of its default. */
  runtime?: string | undefined;
}

export interface DockerDriver extends SandboxDriver {
  /** Whether its last one was left to the engine, and may still run. */
  hasLeft(sessionId: string): boolean;
}

/** By this process: names are given once. */
let started = 0;

const START_TIMEOUT_MS = 60_000;
const PROBE_ORDINAL = 999;
const SWEPT_AT_ONCE = 8;

export function createDockerDriver(options: DockerOptions): DockerDriver {
  const { slug, log, runtime, name = 'docker', env = process.env } = options;
  const image = options.image ?? `nanoclaw-agent-v2-${slug}:latest`;
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const leftToEngine = createLeft();
  let declaration: Promise<DriverDeclaration> | undefined;
  const connection = createConnection({
    sockets: () =>
      options.socket
        ? [options.socket]
        : engineSockets({ engine: name, env, uid: self.uid, platform: process.platform }),
    image,
    runtime,
    stateDir: options.stateDir,
    onLost: () => {
      declaration = undefined;
    },
  });
  const { isLost } = connection;
  const owed = createOwed({ isLost, log });
  const containers = async () => (await connection.get()).containers;
  const networks = createNetworks({ slug, image, host, connected: connection.get, isLost, owe: owed.add, log });
  const ways = createWays({
    networks,
    setting: env.NANOCLAW_RELAY || undefined,
    engine: async () => (await connection.get()).engine,
    needsTrial: runtime !== undefined,
    note: path.join(options.stateDir, 'no-socket'),
    trial: () => driver.declare(),
    log,
  });

  const removeNow = async (id: string): Promise<void> => {
    await (await containers()).remove(id);
    adopted.delete(id);
    leftToEngine.gone(id);
  };
  const owe = (id: string): void => owed.add(id, () => removeNow(id));
  const leaveOf = (sessionId: string) => (id: string) => {
    leftToEngine.add(sessionId, id);
    owe(id);
  };

  /** Never rejects: an engine that is away does it later. */
  async function remove(id: string): Promise<void> {
    try {
      await removeNow(id);
    } catch (error) {
      if (isLost(error)) owe(id);
      else log('a container stays', { id, error });
    }
  }

  async function start(spec: SandboxSpec, look?: (id: string) => Promise<void>): Promise<Sandbox> {
    const refused = refuseSpec(spec);
    if (refused) throw new NanoError('NC_SANDBOX_START', refused);
    const { engine, seccomp } = await connection.get();
    const user = userFor(engine, spec.uid, self);
    const places = preparePlaces(
      spec.mounts,
      self.uid === 0 ? spec.uid : null,
      // It puts options and paths into one text, where a path could become an option.
      engine.name === 'Podman' ? /[,"]/ : null,
    );
    const labels = {
      [LABEL.install]: slug,
      [LABEL.session]: spec.sessionId,
      [LABEL.host]: host,
      [LABEL.log]: spec.logFile,
    };
    const settings = {
      image,
      user,
      seccomp,
      runtime,
      hard: engine.sameKernel ? readHardLimits() : null,
      steps: places.steps,
    };
    try {
      await (await containers()).checkImage();
      return await ways.start(spec.sessionId, (network, joined) =>
        launch({
          containers,
          // A number of its own: an earlier one of this session may still be going away.
          name: `nanoclaw-${slug}-${spec.sessionId}-${host.slice(0, 8)}-${++started}`,
          body: containerBody(spec, engine, {
            ...settings,
            generated: generatedFiles(options.stateDir, user, network !== undefined),
            network,
            labels: sealed(options.stateDir, { ...labels, ...(network && { [NETWORK_LABEL]: network.name }) }),
          }),
          runtime,
          sessionId: spec.sessionId,
          logFile: spec.logFile,
          refuse: (said) => (engine.sameKernel ? refuseSeen(said, places.expected) : null),
          isLost,
          remove,
          leave: leaveOf(spec.sessionId),
          timeoutMs: START_TIMEOUT_MS,
          async look(id) {
            await joined;
            await look?.(id);
          },
          log,
        }),
      );
    } catch (error) {
      isLost(error);
      throw error instanceof NanoError ? error : new NanoError('NC_SANDBOX_START', errorText(error), { cause: error });
    }
  }

  async function declare(): Promise<DriverDeclaration> {
    let reach: Reach | undefined;
    try {
      const { engine } = await connection.get();
      const byNetwork = await ways.byNetwork();
      reach = await openReach(byNetwork ? await networks.place() : 'socket', options.stateDir);
      let hostUid: number | null = null;
      const isRoot = self.uid === 0 && !engine.rootless;
      const wantedUid = isRoot ? sandboxUid(slug, PROBE_ORDINAL, readUidMap()) : self.uid;
      const spec = {
        sessionId: TRIAL,
        uid: wantedUid,
        command: ['/bin/sh', '-c', reach.script + TRIAL_SCRIPT],
        env: { PATH: '/usr/bin:/bin' },
        mounts: reach.mounts,
        limits: TRIAL_LIMITS,
        logFile: path.join(options.stateDir, 'trial.log'),
      };
      const sandbox = await start(spec, async (id) => {
        if (engine.sameKernel) hostUid = uidOf(await (await containers()).pid(id));
      });
      const { code, lastLines } = await sandbox.exited;
      if (!byNetwork && (await ways.heardOfSocket(lastLines))) return await declare();
      const isHeard = byNetwork && engine.sameKernel && machineTakesFromAnywhere();
      const seen = { lines: lastLines, hostUid, wantedUid, code, engine, byNetwork, isHeard, slug, runtime };
      return { ...judge(seen), driver: name };
    } catch (error) {
      declaration = undefined; // it may answer the next time
      const known = error instanceof EngineTrouble ? error.diagnosis : undefined;
      const reason = known?.reason ?? `The trial failed: ${errorText(error)}`;
      log('no sandbox can be started', { reason });
      return {
        driver: name,
        usable: false,
        reason,
        remedy: known?.remedy ?? 'See docs/docker.md.',
        guarantees: [],
      };
    } finally {
      reach?.close();
    }
  }

  const left = async () => {
    const all = await (await containers()).list(LABEL.install, slug);
    // After them: what has begun since then is in neither.
    const trying = await networks.trying();
    const isTheirBridge = ({ labels }: Listed) =>
      labels[LABEL.session] === undefined && trying.has(labels[LABEL.host] ?? '');
    return all.filter((container) => isLeftover(container, Date.now()) && !isTheirBridge(container));
  };

  async function sweep(): Promise<number> {
    const found = await left();
    const ended: Listed[] = [];
    for (let at = 0; at < found.length; at += SWEPT_AT_ONCE) {
      const some = found.slice(at, at + SWEPT_AT_ONCE);
      const have = await Promise.all(some.map(end));
      ended.push(...some.filter((_, index) => have[index]));
    }
    await networks.sweep();
    if (ended.length > 0) log('ended what an earlier host left', { containers: ended.length });
    // The relay's bridge is nobody's sandbox.
    return ended.filter(({ labels }) => labels[LABEL.session] !== undefined).length;
  }

  /**
   * Whether it has ended. One that the engine refuses to end keeps none of the others, and nothing is started beside it.
   * Rejects when the engine is away.
   */
  async function end({ id, labels }: Listed): Promise<boolean> {
    try {
      await removeNow(id);
      return true;
    } catch (error) {
      if (isLost(error)) throw error;
      log('a container stays', { id, error });
      leaveOf(labels[LABEL.session] ?? id)(id);
      return false;
    }
  }

  /** An engine that is away keeps what an earlier host left running: that must not go on beside what is started later. */
  async function orOwed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isLost(error)) owed.add('what an earlier host left', sweep);
      throw error;
    }
  }

  function takeOver(container: Listed): Sandbox[] {
    const { id, labels } = container;
    const { [LABEL.session]: sessionId, [LABEL.log]: logFile } = labels;
    if (sessionId === undefined || logFile === undefined) return [];
    adopted.add(id);
    const done = new AbortController();
    const sinceMs = lastWritten(logFile);
    const common = { containers, isLost, remove, leave: leaveOf(sessionId), log };
    return [ways.follow(container, follow({ ...common, id, sessionId, logFile, frames: null, sinceMs, done }))];
  }

  const driver: DockerDriver = {
    name,
    declare() {
      declaration ??= declare();
      return declaration;
    },
    async start(spec: SandboxSpec): Promise<Sandbox> {
      const attempt = async () => {
        await owed.settle();
        await leftToEngine.end(spec.sessionId, removeNow);
        return start(spec);
      };
      return attempt().catch((error: unknown) => {
        // It was upgraded, perhaps, and wants to be spoken to in another version.
        if (error instanceof NanoError && error.code === 'NC_SANDBOX_UNUSABLE') return attempt();
        throw error;
      });
    },
    transport: ways.transport,
    hasLeft: leftToEngine.has,
    async adopt() {
      const all = await orOwed(left);
      // What somebody else has labelled so is only ended.
      const found = all.filter(({ running, labels }) => running && isSealed(options.stateDir, labels));
      await ways.takeOver(found);
      return found.flatMap(takeOver);
    },
    sweep: () => orOwed(sweep),
  };
  return driver;
}

/** What came later is not in the file yet. */
function lastWritten(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
