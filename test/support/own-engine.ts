/** A Docker or Podman engine of the test's own, in a folder of its own: one that may be killed. Needs root, and its programs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { LABEL } from '../../drivers/docker/body.ts';
import { engineSocket, TEST_IMAGE } from './runtime.ts';
import { until } from './until.ts';

export interface OwnEngine extends AsyncDisposable {
  name: 'docker' | 'podman';
  socket: string;
  image: string;
  /** What a host has to find in its environment. */
  environment: Record<string, string>;
  /** `kill -9` of what listens on the socket. Its containers live on. */
  kill(): Promise<void>;
  /** The same, and of what runs in an install's containers, and of all that keeps Docker's alive. */
  killAll(slug: string): Promise<void>;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Those of an install that run, by their ids; by session. */
  containers(slug: string): Promise<Map<string, string>>;
  /** Runs the engine's own command; returns what it printed. */
  command(...args: readonly string[]): string;
  log(): string;
}

/** Why there can be none here, or false. */
export function noEngineOfOurOwn(name: 'docker' | 'podman'): string | false {
  if (engineSocket(name) === undefined) return `NANOCLAW_TEST_${name.toUpperCase()} names no socket of an engine`;
  if (process.geteuid?.() !== 0) return 'only root can start an engine of its own';
  const program = name === 'docker' ? 'dockerd' : 'podman';
  return spawnSync(program, ['--version']).status === 0 ? false : `${program} is not installed`;
}

const running = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()) }));

/** `dataRoot`: where it keeps its images, instead of in its own folder. */
export async function startOwnEngine(
  name: 'docker' | 'podman',
  options: { dataRoot?: string } = {},
): Promise<OwnEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-engine-'));
  const socket = join(folder, 'api.sock');
  const logFile = join(folder, 'log');
  const exec = join(folder, 'exec');
  const data = options.dataRoot ?? join(folder, 'data');
  const argv = name === 'docker' ? dockerArguments() : await podmanArguments();
  const connection = name === 'docker' ? ['--host', `unix://${socket}`] : ['--url', `unix://${socket}`];
  let daemon: ChildProcess | undefined;
  let keeper: ChildProcess | undefined;

  function dockerArguments(): string[] {
    const folders = ['--data-root', data, '--exec-root', exec, '--pidfile', join(folder, 'pid')];
    const network = ['--iptables=false', '--bridge=none', '--ip-forward=false'];
    const keep = ['--containerd', join(folder, 'containerd.sock'), '--live-restore'];
    // In a network of its own: without a bridge it would take away that of another engine.
    return ['unshare', '--net', 'dockerd', '--host', `unix://${socket}`, ...folders, ...network, ...keep];
  }

  /** Its service keeps nothing: another one beside the named one, on the same store. */
  async function podmanArguments(): Promise<string[]> {
    const { host, store } = podmanInfo.parse(await ask(engineSocket('podman') ?? '', '/v4.0.0/libpod/info'));
    const folders = ['--root', store.graphRoot, '--runroot', store.runRoot];
    const how = ['--runtime', host.ociRuntime.path, '--cgroup-manager', host.cgroupManager];
    return ['podman', ...folders, ...how, 'system', 'service', '--time=0', `unix://${socket}`];
  }

  async function start(): Promise<void> {
    rmSync(socket, { force: true });
    if (name === 'docker' && !isAlive(keeper)) {
      keeper = begin(['containerd', '--config', keeperConfig()]);
      await until(() => existsSync(join(folder, 'containerd.sock')));
    }
    const child = begin(argv);
    daemon = child;
    await until(async () => child.exitCode !== null || (await answers(socket))).catch(() => undefined);
    if (!(await answers(socket)))
      throw new Error(`${name} did not start: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
  }

  function begin([program = '', ...args]: readonly string[]): ChildProcess {
    const output = openSync(logFile, 'a');
    const child = spawn(program, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    return child;
  }

  /** As most systems have it, containerd is a service beside Docker's, and does not end with it. */
  function keeperConfig(): string {
    const file = join(folder, 'containerd.toml');
    const config = `version = 2\nroot = "${join(folder, 'containerd')}"\nstate = "${exec}/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${join(folder, 'containerd.sock')}"\n`;
    writeFileSync(file, config);
    rmSync(join(folder, 'containerd.sock'), { force: true });
    return file;
  }

  const kill = () => killChild(daemon);

  async function killAll(slug: string): Promise<void> {
    const ids = [...(await containers(slug)).values()];
    const states = await Promise.all(ids.map((id) => ask(socket, `/v1.41/containers/${id}/json`)));
    await kill();
    await killKeepers();
    for (const state of states) killQuietly(inspected.parse(state).State.Pid);
  }

  /** containerd, and a shim for each container: by this folder on their command lines. */
  async function killKeepers(): Promise<void> {
    await killChild(keeper);
    for (const pid of processesOf(folder)) killQuietly(pid);
    await until(() => processesOf(folder).length === 0);
  }

  async function containers(slug: string): Promise<Map<string, string>> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL.install}=${slug}`] }));
    const found = running.parse(await ask(socket, `/v1.41/containers/json?filters=${filters}`));
    return new Map(found.map(({ Id, Labels }) => [Labels[LABEL.session] ?? '', Id]));
  }

  function command(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(name, [...connection, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  const engine: OwnEngine = {
    name,
    socket,
    image: name === 'docker' ? 'nanoclaw-small:latest' : TEST_IMAGE,
    environment: {
      NANOCLAW_RUNTIME: name,
      NANOCLAW_IMAGE: name === 'docker' ? 'nanoclaw-small:latest' : TEST_IMAGE,
      [name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${socket}`,
    },
    kill,
    killAll,
    start,
    containers,
    command,
    log: () => readFileSync(logFile, 'utf8'),
    async [Symbol.asyncDispose]() {
      await kill();
      await killKeepers();
      for (const mount of mountsBelow(folder)) spawnSync('umount', ['-l', mount]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
    if (name === 'docker') await bringImage(connection);
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
  return engine;
}

/** Of the image that the suites have, what a sandbox needs to start: the rest takes half a minute to carry over. */
async function bringImage(connection: readonly string[]): Promise<void> {
  const heavy = [
    './usr/share',
    './usr/local',
    './usr/lib/python3*',
    './usr/lib/git-core',
    './usr/lib/gcc',
    '*/perl*',
    './usr/lib/chromium',
  ];
  const tar = ['-c', '-C', '/', ...heavy.map((what) => `--exclude=${what}`), './bin', './sbin', './lib', './lib64'];
  const pack = ['run', '--rm', '--network', 'none', '--entrypoint', 'tar', TEST_IMAGE, ...tar, './etc', './usr'];
  const from = spawn('docker', ['--host', `unix://${engineSocket('docker')}`, ...pack], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const to = spawn('docker', [...connection, 'import', '-', 'nanoclaw-small:latest'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  // Its exit says what became of it.
  to.stdin.on('error', () => {});
  from.stdout.pipe(to.stdin);
  const [code] = await once(to, 'exit');
  // Where nobody reads on, it would wait for ever, and this process for it.
  from.kill('SIGKILL');
  if (code !== 0) throw new Error('the image could not be carried over');
}

const inspected = z.object({ State: z.object({ Pid: z.number() }) });

const podmanInfo = z.object({
  host: z.object({ cgroupManager: z.string(), ociRuntime: z.object({ path: z.string() }) }),
  store: z.object({ graphRoot: z.string(), runRoot: z.string() }),
});

async function ask(socketPath: string, path: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http.get({ socketPath, path, headers: { host: 'engine' } }, resolve).on('error', reject);
  return json(await promise);
}

const isAlive = (child: ChildProcess | undefined): boolean => child?.exitCode === null && child.signalCode === null;

async function killChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || !isAlive(child)) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function answers(socket: string): Promise<boolean> {
  return ask(socket, '/version').then(
    () => true,
    () => false,
  );
}

function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return (
          /(?:^|\/)(?:containerd|containerd-shim[\w-]*|dockerd)$/.test(words[0] ?? '') &&
          words.some((word) => word.includes(folder))
        );
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((at) => at.startsWith(`${folder}/`))
    .reverse();
}
