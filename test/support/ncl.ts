import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CODE } from './host-process.ts';

/** One call of the real `ncl` on an install. */
export interface NclRun {
  status: number | null;
  stdout: string;
  stderr: string;
}

export async function runNcl(home: string, args: readonly string[], input?: string): Promise<NclRun> {
  const child = spawn(join(CODE, 'bin/ncl'), args, {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may have ended before it read anything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const run: NclRun = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text;
  });
  await once(child, 'close');
  return { ...run, status: child.exitCode };
}
