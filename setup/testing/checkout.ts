import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openPty, type Pty } from '../../test/support/pty.ts';

const CODE = join(import.meta.dirname, '..', '..');
/** What git doesn't track. */
const NOT_COPIED = new Set(['.runtime', '.git', '.env', 'data', 'logs', 'groups'].map((name) => join(CODE, name)));
const PACKAGES = ['node_modules', 'protocol/node_modules', 'container/agent-runner/node_modules'];

/** Whatever engine this machine may have: what wants one names it. */
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere/docker.sock', CONTAINER_HOST: 'unix:///nowhere/podman.sock' };

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A copy of this checkout as it is on disk, in a folder of its own, with a home of its own. */
export class Checkout implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-setup-')));
  readonly root = join(this.folder, 'checkout');

  constructor() {
    cpSync(CODE, this.root, {
      recursive: true,
      filter: (path) => !NOT_COPIED.has(path) && basename(path) !== 'node_modules',
    });
    mkdirSync(join(this.folder, 'home'));
  }

  /** Runtimes and packages too, as links to the files of this one: as it is after a setup. */
  static installed(): Checkout {
    const checkout = new Checkout();
    const plugins = ['providers', 'channels'].flatMap((kind) =>
      readdirSync(join(CODE, kind)).map((name) => `${kind}/${name}/node_modules`),
    );
    for (const path of ['.runtime', ...PACKAGES, ...plugins]) {
      if (existsSync(join(CODE, path))) execFileSync('cp', ['-al', join(CODE, path), join(checkout.root, path)]);
    }
    rmSync(join(checkout.root, '.runtime', 'compile-cache'), { recursive: true, force: true });
    // Its own file: it says that these packages are what these manifests ask for.
    rmSync(join(checkout.root, '.runtime', 'packages'), { force: true });
    const stamp = '. setup/packages.sh; packages_hash >"$packages_stamp"';
    execFileSync('bash', ['-c', stamp], { cwd: checkout.root });
    return checkout;
  }

  /** nanoclaw.sh without a terminal, in an environment with nothing but what is given. */
  setUp(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.run(['bash', 'nanoclaw.sh', ...args], env);
  }

  /** As root: in a private view of the file system that `prepare` (a line of shell) has changed. */
  setUpAfter(prepare: string, args: readonly string[]): Promise<Ran> {
    return this.run([
      'unshare',
      '-m',
      'bash',
      '-c',
      `${prepare} && exec bash "$0" "$@"`,
      join(this.root, 'nanoclaw.sh'),
      ...args,
    ]);
  }

  /** The same on a terminal. */
  sitDown(args: readonly string[], env: Record<string, string> = {}): Pty {
    return openPty(['bash', 'nanoclaw.sh', ...args], { cwd: this.root, env: this.#env(env) });
  }

  #env(more: Record<string, string>): Record<string, string> {
    return { PATH: systemPath(), HOME: join(this.folder, 'home'), ...NO_ENGINE, ...more };
  }

  async run(command: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: this.root,
      env: this.#env(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', resolve);
    });
    const [status, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { status, stdout, stderr };
  }

  read(path: string): string {
    return existsSync(join(this.root, path)) ? readFileSync(join(this.root, path), 'utf8') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(join(this.root, 'data'))) await this.run(['bin/ncl', 'stop', '--force']);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What the machine has by itself: the tests run with this checkout's own runtimes in front. */
export function systemPath(): string {
  const own = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !/\/(\.runtime|node_modules)\//.test(`${folder}/`));
  return own.join(delimiter);
}

export function hasCommand(name: string): boolean {
  return systemPath()
    .split(delimiter)
    .some((folder) => existsSync(join(folder, name)));
}
