import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** A program on a terminal of its own, by util-linux's `script`, and somebody who sits there. */

const folders = (process.env.PATH ?? '').split(delimiter);

/** Why there is none; false: there is. */
export const noPty: string | false = folders.some((folder) => existsSync(join(folder, 'script')))
  ? false
  : 'There is no program `script` on this machine.';

export interface Pty extends AsyncDisposable {
  /** Waits until this stands on the screen, below what was waited for before; returns what matched. */
  seen(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  type(text: string): void;
  /** All that came so far, without colours and moves of the cursor. */
  text(): string;
  /** Its exit status. */
  ended: Promise<number | null>;
}

export const ENTER = '\r';
export const DOWN = '\u001b[B';
export const CTRL_C = '\u0003';

const SEEN_MS = 60_000;
const LOOK_MS = 5;

export function openPty(command: readonly string[], { cwd, env }: { cwd: string; env: Record<string, string> }): Pty {
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qfec', `stty cols 160 rows 50; exec ${quoted}`, '/dev/null'], {
    cwd,
    env: { ...env, SHELL: '/bin/sh', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let raw = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    raw += chunk;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // Ends of lines as a terminal makes them.
  const text = () => stripVTControlCharacters(raw).replaceAll('\r', '');
  return {
    text,
    ended,
    type: (keys) => void child.stdin.write(keys),
    async seen(pattern, ms = SEEN_MS) {
      for (const end = performance.now() + ms; performance.now() < end; ) {
        const rest = text().slice(from);
        const found = pattern.exec(rest);
        if (found) {
          from += found.index + found[0].length;
          return found;
        }
        if (child.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      throw new Error(`${pattern} never stood there, but:\n${text().slice(from)}`);
    },
    async [Symbol.asyncDispose]() {
      // With it goes the terminal, and the system tells the program so.
      child.kill('SIGKILL');
      await ended;
    },
  };
}
