import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { ServerFrame } from '../../channels/terminal/frames.ts';
import { HOST_FLAGS } from '../../cli/host-process.ts';
import type { DriverName } from '../../drivers/names.ts';
import { removeContainers, runtimeEnvironment } from './runtime.ts';
import { scratchFolder } from './scratch.ts';
import { addScriptedChats } from './scripted/platform.ts';
import { until } from './until.ts';

/** A real host in a process of its own, on a fresh install in a temporary folder, with its terminal. */

export const CODE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface HostOptions {
  provider?: 'demo' | 'claude';
  /** Lines of .env. */
  env?: Readonly<Record<string, string>>;
  /** An install that is there already. */
  home?: string;
  /** The text of .env, instead of `env`. */
  envFile?: string;
  /** Arguments of Node's own. */
  node?: readonly string[];
  /** Adds a scripted channel with these chats, all wired to the first agent. */
  platform?: { socketPath: string };
  chats?: readonly string[];
  /** More of the host's own environment. */
  environment?: Readonly<Record<string, string>>;
  /** Another checkout than this one. */
  code?: string;
  /** Instead of the one that these tests run on. */
  runtime?: DriverName;
}

export interface TestHost extends AsyncDisposable {
  home: string;
  process: ChildProcess;
  /** When its process was started, by `performance.now()`. */
  spawnedAt: number;
  /** A new client of data/cli.sock. */
  terminal(): Promise<Terminal>;
  log(): string;
  /** SIGTERM, or another; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

export async function startHost(options: HostOptions = {}): Promise<TestHost> {
  const home = options.home ?? scratchFolder('nanoclaw-e2e-');
  initFirstAgent(home, { name: 'Andy', provider: options.provider ?? 'demo', timezone: 'Europe/Berlin' });
  mkdirSync(join(home, 'logs'), { recursive: true });
  const lines = Object.entries(options.env ?? {}).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(join(home, '.env'), options.envFile ?? lines.join(''), { mode: 0o600 });

  if (options.chats) addScriptedChats(home, options.chats);

  const code = options.code ?? CODE;
  const entry = options.platform ? 'test/support/scripted/host.ts' : 'src/index.ts';
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, [...HOST_FLAGS, ...(options.node ?? []), join(code, entry)], {
    // As `ncl start` does it.
    env: {
      PATH: process.env.PATH,
      HOME: home,
      NANOCLAW_HOME: home,
      NODE_COMPILE_CACHE: join(code, '.runtime/compile-cache'),
      ...(options.platform && { NANOCLAW_PLATFORM: options.platform.socketPath }),
      ...runtimeEnvironment(options.runtime),
      ...options.environment,
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const log = () =>
    existsSync(join(home, 'logs/nanoclaw.log')) ? readFileSync(join(home, 'logs/nanoclaw.log'), 'utf8') : '';
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  // The admin socket opens last: whoever reaches it may rely on everything else.
  const folder = shortFolder(home);
  await until(async () => gone() || (await reachable(join(folder, 'data/ncl.sock')))).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (gone()) throw new Error(`The host ended with ${child.exitCode}: ${stderr}`);

  const terminals: Terminal[] = [];
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    for (const open of terminals) open.close();
    if (gone()) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    home,
    process: child,
    spawnedAt,
    async terminal() {
      const opened = await openTerminal(join(folder, 'data/cli.sock'));
      terminals.push(opened);
      return opened;
    },
    log,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      if (options.home) return;
      await removeContainers(home, options.runtime);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A way to the same folder that is short enough for a socket's path. */
function shortFolder(home: string): string {
  if (home.length < 80) return home;
  const link = join(scratchFolder('nanoclaw-link-'), 'home');
  symlinkSync(home, link);
  return link;
}

async function reachable(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface Terminal {
  frames: ServerFrame[];
  /** When each of them came, in ms since the epoch, to the microsecond. */
  arrived: number[];
  /** Sends one message; returns its id. */
  send(text: string, id?: string): string;
  /** Sends one and waits until it has ended; returns the texts that were said from then on, without progress. */
  ask(text: string): Promise<string[]>;
  outcome(id: string): string | undefined;
  said(): string[];
  close(): void;
  socket: Socket;
}

let count = 0;

export async function openTerminal(path: string): Promise<Terminal> {
  const socket = connect(path);
  await once(socket, 'connect');
  const frames: ServerFrame[] = [];
  const arrived: number[] = [];
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    const at = performance.timeOrigin + performance.now();
    for (const line of lines) {
      frames.push(ServerFrame.parse(JSON.parse(line)));
      arrived.push(at);
    }
  });
  socket.on('error', () => {});
  const texts = (from: number) => frames.slice(from).flatMap((frame) => (frame.type === 'message' ? [frame.text] : []));
  const outcome = (id: string) => {
    const settled = frames.find((frame) => frame.type === 'settled' && frame.id === id);
    return settled?.type === 'settled' ? settled.outcome : undefined;
  };
  const send = (text: string, given?: string) => {
    count += 1;
    const id = given ?? `t${process.pid}-${count}`;
    socket.write(`${JSON.stringify({ type: 'message', id, text })}\n`);
    return id;
  };
  return {
    frames,
    arrived,
    send,
    async ask(text) {
      const from = frames.length;
      const id = send(text);
      await until(() => outcome(id) !== undefined, 60_000);
      return texts(from);
    },
    outcome,
    said: () => texts(0),
    close: () => socket.destroy(),
    socket,
  };
}
