import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
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
  const called = await call(program, args, input);
  if (called.status === 0) return called.stdout;
  throw failure(program, args, called);
}

export function failure(program: string, args: readonly string[], { status, stderr }: Called): NanoError {
  const ended = status === null ? 'It did not end by itself.' : `It ended with status ${status}.`;
  return new NanoError('NC_SERVICE', `\`${[program, ...args].join(' ')}\`: ${stderr.trim().split('\n')[0] || ended}`);
}

export function hasCommand(name: string, path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A shell that came by `su` lacks the address of the user's own manager. */
function environment(): NodeJS.ProcessEnv {
  const folder = `/run/user/${process.getuid?.()}`;
  const address = process.env.XDG_RUNTIME_DIR ?? (existsSync(folder) ? folder : undefined);
  return { ...process.env, LC_ALL: 'C', ...(address !== undefined && { XDG_RUNTIME_DIR: address }) };
}
