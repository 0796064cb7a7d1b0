import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { NanoError } from '../../src/errors.ts';

export interface Called {
  /** Null: it was killed, or there is no such program. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Longer than a host may take to end. */
const LIMIT_MS = 90_000;

/** A program of the system's, in the language that its output is read in. */
export async function call(program: string, args: readonly string[], input = ''): Promise<Called> {
  const child = spawn(program, args, { env: environment(), stdio: 'pipe', timeout: LIMIT_MS });
  // It may end before it has read anything; its status tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

/** Throws NC_SERVICE with what the program says. */
export async function demand(program: string, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await call(program, args, input);
  if (status === 0) return stdout;
  const why = stderr.trim().split('\n')[0] || `It ended with status ${status}.`;
  throw new NanoError('NC_SERVICE', `\`${[program, ...args].join(' ')}\`: ${why}`);
}

/** A shell that came by `su` lacks the address of the user's own manager. */
function environment(): NodeJS.ProcessEnv {
  const folder = `/run/user/${process.getuid?.()}`;
  const address = process.env.XDG_RUNTIME_DIR ?? (existsSync(folder) ? folder : undefined);
  return { ...process.env, LC_ALL: 'C', ...(address !== undefined && { XDG_RUNTIME_DIR: address }) };
}
