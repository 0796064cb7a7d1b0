import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { initFirstAgent } from '../../../admin/first-agent.ts';
import { scratchFolder } from '../../../test/support/scratch.ts';

const CODE = join(import.meta.dirname, '..', '..', '..');

/** No systemd to be asked, and a crontab in a file: what a test installs stays away from this machine's own. */
export function makeStandIns(folder: string): string {
  const programs = join(folder, 'programs');
  const table = join(folder, 'crontab');
  mkdirSync(programs);
  writeFileSync(join(programs, 'systemctl'), '#!/bin/sh\nexit 1\n');
  writeFileSync(
    join(programs, 'crontab'),
    `#!/bin/sh\ncase $1 in -l) [ ! -s '${table}' ] || exec cat '${table}'; echo 'no crontab for me' >&2; exit 1 ;; *) cat >'${table}' ;; esac\n`,
  );
  for (const name of ['systemctl', 'crontab']) chmodSync(join(programs, name), 0o755);
  return programs;
}

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** An install of its own, in a folder whose name is a trial, with our own supervisor as the only service there can be. */
export class Install implements AsyncDisposable {
  readonly folder = scratchFolder('nanoclaw-service-');
  readonly home = join(this.folder, `it's 100% "home"`);
  readonly #path = [makeStandIns(this.folder), process.env.PATH].join(delimiter);

  constructor() {
    mkdirSync(this.home);
    initFirstAgent(this.home, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  }

  ncl(...args: string[]): Promise<Ran> {
    return this.run(join(CODE, 'bin', 'ncl'), ...args);
  }

  async run(program: string, ...args: string[]): Promise<Ran> {
    const child = spawn(program, args, {
      env: { PATH: this.#path, HOME: this.folder, NANOCLAW_HOME: this.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', resolve);
    });
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { status, stdout, stderr };
  }

  /** The answer of a command that gives JSON. */
  async json(...args: string[]): Promise<Record<string, unknown>> {
    const { stdout, stderr } = await this.ncl(...args, '--json');
    const answer: unknown = JSON.parse(stdout || '{}');
    if (typeof answer !== 'object' || answer === null) throw new Error(`${args.join(' ')}: ${stderr}`);
    return { ...answer };
  }

  /** The host's process; 0 when none answers. */
  async pid(): Promise<number> {
    return Number((await this.json('status')).pid ?? 0);
  }

  /** What the supervisor says. */
  log(): string {
    return readFileSync(join(this.home, 'logs/supervisor.log'), 'utf8');
  }

  read(path: string): string {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ncl('service', 'uninstall', '--force');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
