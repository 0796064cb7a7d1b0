import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readInvocation } from '../../cli/arguments.ts';
import { askHost } from '../../cli/ask-host.ts';
import { commands } from '../../cli/commands/index.ts';
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

/** The same words, of a command that the host answers, asked from within this process: a fiftieth of the time. */
export async function askNcl(home: string, words: readonly string[]): Promise<{ ok: boolean; text: string }> {
  const read = readInvocation(commands, words);
  if (!read.ok) return { ok: false, text: read.sentence };
  const { command, args } = read.value;
  if (command?.place !== 'host') return { ok: false, text: `The host has no command ${words.join(' ')}.` };
  try {
    const look = { width: Number.POSITIVE_INFINITY, colour: false };
    const { text = '' } = await askHost(join(home, 'data/ncl.sock'), command.name, args, look);
    return { ok: true, text };
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
}
