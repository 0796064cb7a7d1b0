/** Container engines for the stages that need them, made ready beside the others and taken away after them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Stage } from './stages.ts';

export interface Engines {
  /** Resolves when as much is ready as will be. */
  ready(): Promise<Found>;
  /** Resolves when nothing of them is left. */
  end(): Promise<void>;
}

/** A registry or a mirror that hangs must not take the other checks along. */
const LONGEST_MS = 10 * 60_000;
const GIVEN = ['NANOCLAW_TEST_DOCKER', 'NANOCLAW_TEST_PODMAN', 'NANOCLAW_TEST_IMAGE', 'NANOCLAW_TEST_BROWSER_IMAGE'];

export interface Found {
  /** What tests find them by; empty: there are none. */
  env: Record<string, string>;
  /** The network in which they are, as a file for `nsenter`; undefined: the machine's. */
  network: string | undefined;
  /** Why some can't be had, as sentences. */
  missing: string[];
}

/** Those that the environment names are used as they are. */
export function startEngines(root: string, env: NodeJS.ProcessEnv, browser: boolean): Engines {
  const found: Found = { env: {}, network: undefined, missing: [] };
  for (const name of GIVEN) if (env[name] !== undefined) found.env[name] = env[name];
  if (Object.keys(found.env).length > 0) {
    return { ready: () => Promise.resolve(found), end: () => Promise.resolve() };
  }
  const chromium = browser || imageChanged(root);
  const child = spawn('bash', ['setup/testing/engines.sh', ...(chromium ? ['--chromium'] : [])], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'ignore'],
    // It ends when its input does: also after this process was killed.
    detached: true,
  });
  const ready = listen(child, found);
  return {
    ready: () => ready,
    async end() {
      child.stdin?.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function listen(child: ChildProcess, found: Found): Promise<Found> {
  child.stdin?.on('error', () => undefined); // it has ended by itself
  let isReady = false;
  const timer = setTimeout(() => child.stdin?.end(), LONGEST_MS);
  for await (const line of child.stdout ? createInterface(child.stdout) : []) {
    const read = readLine(line);
    if (read.type === 'none') found.missing.push(read.reason);
    if (read.type === 'network') found.network = read.file;
    if (read.type === 'env') found.env[read.name] = read.value;
    isReady = read.type === 'ready';
    if (isReady) break;
  }
  clearTimeout(timer);
  // It may have ended in the middle, with engines that are not there any more.
  const late = 'they were not ready in time, or ended: logs/checks/engines-setup.log says more';
  return isReady ? found : { env: {}, network: undefined, missing: [...found.missing, late] };
}

type Line =
  | { type: 'env'; name: string; value: string }
  | { type: 'network'; file: string }
  | { type: 'none'; reason: string }
  | { type: 'ready' | 'other' };

/** One line of what the script says. Pure. */
export function readLine(line: string): Line {
  if (line === 'ready') return { type: 'ready' };
  if (line.startsWith('none ')) return { type: 'none', reason: line.slice(5) };
  if (line.startsWith('network ')) return { type: 'network', file: line.slice(8) };
  const [, name, value] = /^env ([A-Z_]+)=(.+)$/.exec(line) ?? [];
  return name !== undefined && value !== undefined ? { type: 'env', name, value } : { type: 'other' };
}

/** The stage as it runs with them. Pure. */
export function withEngines(stage: Stage, { env, network }: Found): Stage {
  const into = network === undefined ? [] : ['nsenter', `--net=${network}`, '--'];
  return { ...stage, command: [...into, ...stage.command], env: { ...env, ...stage.env } };
}

/** Whether what the image is made of is another than in the commit before: where there is none, it is taken as unchanged. */
function imageChanged(root: string): boolean {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: 'ignore' });
  try {
    git('rev-parse', '--verify', 'HEAD~1');
  } catch {
    return false;
  }
  try {
    git('diff', '--quiet', 'HEAD~1', '--', ...IMAGE_PARTS);
    return false;
  } catch {
    return true;
  }
}

const IMAGE_PARTS = ['Dockerfile', 'packages.tsv', 'build.sh', 'context.sh', 'engine.sh', 'agent-browser.sh'].map(
  (name) => `container/${name}`,
);
