import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { linkRuntime } from '../../test/support/link-runtime.ts';

const SOURCE = dirname(dirname(import.meta.dirname));

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Checkout {
  root: string;
  /** Runs `bin/ncl` to its end. */
  ncl(args: readonly string[], options?: { input?: string; cwd?: string; command?: string }): Promise<Run>;
  /** Begins one; `run` resolves at its end. */
  begin(
    args: readonly string[],
    options?: { input?: string; cwd?: string; command?: string },
  ): { child: ChildProcess; run: Promise<Run> };
  /** What `src/index.ts` is here. */
  program(text: string): void;
  remove(): Promise<void>;
}

/** A checkout of its own, so that tests touch nobody's data: a copy of the code, with the stand-in as its host. */
export function makeCheckout(depth = ''): Checkout {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ncl-')));
  const root = join(folder, depth);
  mkdirSync(join(root, 'providers', 'demo'), { recursive: true });
  for (const part of [
    'src',
    'admin',
    'assistant',
    'cli',
    'bin',
    'drivers',
    'channels/terminal',
    'channels/web-server',
    'setup/bundle',
    'setup/service',
    'package.json',
  ])
    cpSync(join(SOURCE, part), join(root, part), { recursive: true });
  for (const part of ['node_modules', 'protocol']) symlinkSync(join(SOURCE, part), join(root, part));
  linkRuntime(SOURCE, root);
  writeFileSync(
    join(root, 'providers', 'demo', 'host.ts'),
    'export const hostProvider = { installed: (_root: string) => true };\n',
  );
  const program = (text: string) => writeFileSync(join(root, 'src', 'index.ts'), text);
  program(`import { standIn } from '../cli/testing/stand-in-host.ts';\nawait standIn(${JSON.stringify(root)});\n`);

  const begin: Checkout['begin'] = (args, { input, cwd = folder, command = join(root, 'bin', 'ncl') } = {}) => {
    const child = spawn(command, args, { cwd });
    // It may have ended before it was told.
    child.stdin.on('error', () => {});
    if (input !== undefined) child.stdin.end(input);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    const run = new Promise<Run>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, ...output }));
    });
    return { child, run };
  };
  const ncl: Checkout['ncl'] = (args, options) => begin(args, { input: '', ...options }).run;
  return {
    root,
    begin,
    ncl,
    program,
    async remove() {
      rmSync(join(root, 'do-not-stop'), { force: true });
      await ncl(['stop', '--force']);
      rmSync(folder, { recursive: true });
    },
  };
}
