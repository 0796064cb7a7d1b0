/** The docker driver: an engine with Docker's API on a socket of this machine. Sandboxes outlive the host and are adopted. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import type { DriverDeclaration, Sandbox, SandboxDriver, SandboxSpec } from '../../src/sandbox/driver.ts';
import { readUidMap, sandboxUid } from '../../src/sandbox/uid.ts';
import { writeIfOther } from '../files.ts';
import { readHardLimits } from '../hard-limits.ts';
import { hostUid as uidOf } from '../host-uid.ts';
import { refuseSpec } from '../spec.ts';
import { TRIAL_LIMITS, TRIAL_SCRIPT } from '../trial.ts';
import { containerBody, LABEL, userFor } from './body.ts';
import { type Containers, createContainers } from './containers.ts';
import { judge } from './declaration.ts';
import { type Engine, findEngine } from './engine.ts';
import { follow } from './follow.ts';
import { refuseSeen } from './gate.ts';
import { launch } from './launch.ts';
import { generatedFiles, preparePlaces } from './places.ts';
import { seccompProfile } from './seccomp.ts';
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

const START_TIMEOUT_MS = 60_000;
const PROBE_ORDINAL = 999;

export function createDockerDriver(options: DockerOptions): SandboxDriver {
  const { slug, log, runtime, name = 'docker', env = process.env } = options;
  const image = options.image ?? `nanoclaw-agent-v2-${slug}:latest`;
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const host = randomUUID();
  const adopted = new Set<string>();
  let connection: Promise<{ engine: Engine; containers: Containers; seccomp: string | null }> | undefined;
  let declaration: Promise<DriverDeclaration> | undefined;
  let started = 0;
  let owesSweep = false;

  async function connect() {
    const surroundings = { engine: name, env, uid: self.uid, platform: process.platform };
    const engine = await findEngine(options.socket ? [options.socket] : engineSockets(surroundings));
    if (runtime !== undefined && !engine.runtimes.includes(runtime)) {
      throw new EngineTrouble({
        code: 'NC_SANDBOX_UNUSABLE',
        reason: `The engine has no runtime named ${runtime}; it has ${engine.runtimes.join(', ') || 'none that it names'}.`,
        remedy: 'Add it to the engine (/etc/docker/daemon.json), or choose another.',
      });
    }
    mkdirSync(options.stateDir, { recursive: true });
    return { engine, containers: createContainers(engine, image), seccomp: seccompFor(engine, options.stateDir) };
  }

  /** An engine that comes back may be another one. */
  async function connected() {
    connection ??= connect();
    const current = connection;
    try {
      return await current;
    } catch (error) {
      if (connection === current) connection = undefined;
      throw error;
    }
  }

  async function start(spec: SandboxSpec, look?: (id: string) => Promise<void>): Promise<Sandbox> {
    const refused = refuseSpec(spec);
    if (refused) throw new NanoError('NC_SANDBOX_START', refused);
    const { engine, containers, seccomp } = await connected();
    const user = userFor(engine, spec.uid, self);
    const places = preparePlaces(
      spec.mounts,
      self.uid === 0 ? spec.uid : null,
      // It puts options and paths into one text, where a path could become an option.
      engine.name === 'Podman' ? /[,"]/ : null,
    );
    const body = containerBody(spec, engine, {
      image,
      user,
      seccomp,
      runtime,
      hard: engine.sameKernel ? readHardLimits() : null,
      steps: places.steps,
      generated: generatedFiles(options.stateDir, user),
      labels: {
        [LABEL.install]: slug,
        [LABEL.session]: spec.sessionId,
        [LABEL.host]: host,
        [LABEL.log]: spec.logFile,
      },
    });
    try {
      return await launch({
        containers,
        // A number of its own: an earlier one of this session may still be going away.
        name: `nanoclaw-${slug}-${spec.sessionId}-${host.slice(0, 8)}-${++started}`,
        body,
        sessionId: spec.sessionId,
        logFile: spec.logFile,
        refuse: (said) => (engine.sameKernel ? refuseSeen(said, places.expected) : null),
        onEnd: () => undefined,
        timeoutMs: START_TIMEOUT_MS,
        ...(look ? { look } : {}),
        log,
      });
    } catch (error) {
      if (error instanceof NanoError && error.code === 'NC_SANDBOX_ENGINE') connection = undefined;
      throw error instanceof NanoError ? error : new NanoError('NC_SANDBOX_START', errorText(error), { cause: error });
    }
  }

  async function declare(): Promise<DriverDeclaration> {
    try {
      const { engine, containers } = await connected();
      let hostUid: number | null = null;
      const isRoot = self.uid === 0 && !engine.rootless;
      const wantedUid = isRoot ? sandboxUid(slug, PROBE_ORDINAL, readUidMap()) : self.uid;
      const spec = {
        sessionId: 'trial',
        uid: wantedUid,
        command: ['/bin/sh', '-c', TRIAL_SCRIPT],
        env: { PATH: '/usr/bin:/bin' },
        mounts: [],
        limits: TRIAL_LIMITS,
        logFile: path.join(options.stateDir, 'trial.log'),
      };
      const sandbox = await start(spec, async (id) => {
        if (engine.sameKernel) hostUid = uidOf(await containers.pid(id));
      });
      const { code, lastLines } = await sandbox.exited;
      return { ...judge({ lines: lastLines, hostUid, wantedUid, code, engine, slug, runtime }), driver: name };
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
    }
  }

  async function sweep(): Promise<number> {
    owesSweep = true;
    const { containers } = await connected();
    const all = await containers.list(LABEL.install, slug);
    const left = all.filter(({ id, labels }) => labels[LABEL.host] !== host && !adopted.has(id));
    for (const { id } of left) await containers.remove(id);
    owesSweep = false;
    if (left.length > 0) log('ended what an earlier host left', { containers: left.length });
    return left.length;
  }

  return {
    name,
    declare() {
      declaration ??= declare();
      return declaration;
    },
    async start(spec: SandboxSpec): Promise<Sandbox> {
      // The engine was away when this host began: what it kept running must not go on beside what is started now.
      if (owesSweep) await sweep();
      return start(spec);
    },
    async adopt() {
      const { containers } = await connected();
      const all = await containers.list(LABEL.install, slug);
      return all
        .filter(({ id, labels, running }) => running && labels[LABEL.host] !== host && !adopted.has(id))
        .flatMap(({ id, labels }) => {
          const { [LABEL.session]: sessionId, [LABEL.log]: logFile } = labels;
          if (sessionId === undefined || logFile === undefined) return [];
          adopted.add(id);
          const onEnd = () => void adopted.delete(id);
          return [
            follow({ containers, id, sessionId, logFile, frames: null, sinceMs: lastWritten(logFile), onEnd, log }),
          ];
        });
    },
    sweep,
  };
}

/** What came later is not in the file yet. */
function lastWritten(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
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
