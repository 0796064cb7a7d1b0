import { spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import { StepFailure } from './failure.ts';

/** The raw output of a step. */
export interface StepLog {
  write(text: string): void;
}

export interface StepEnd<T> {
  /** Shown on the step's line. */
  detail: string;
  value: T;
  /** It came to nothing, and the setup goes on without. */
  without?: boolean;
}

/** How far a long step is: asked for from time to time. */
export type Progress = () => string;

const TERMINAL_MS = 250;
const PLAIN_MS = 15_000;

/** Goes on where setup/steps.sh ended: the same lines, the same files. */
export class Steps {
  readonly #root: string;
  #number: number;

  constructor(root: string, done: number) {
    this.#root = root;
    this.#number = done;
  }

  /** Ends the process with 1 when the step fails, after saying which, why, what to do and where its log is. */
  async run<T>(name: string, work: (log: StepLog) => Promise<StepEnd<T>>, progress?: Progress): Promise<T> {
    this.#number += 1;
    const number = String(this.#number).padStart(2, '0');
    const file = join('logs', 'setup-steps', `${number}-${name}.log`);
    const started = performance.now();
    const elapsed = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
    const descriptor = openSync(join(this.#root, file), 'w', 0o600);
    const log: StepLog = { write: (text) => writeSync(descriptor, `${text}\n`) };
    const stopShowing = show(() => `${name}  ${elapsed()}  ${progress?.() ?? ''}`);
    try {
      const { detail, value, without = false } = await work(log);
      stopShowing();
      this.#note(`${number} ${name} ${without ? 'without' : 'ok'} ${elapsed()} ${detail}`);
      say(`  ${without ? '!' : '✓'} ${name.padEnd(12)} ${elapsed().padStart(8)}  ${detail}`);
      return value;
    } catch (error) {
      stopShowing();
      log.write(error instanceof StepFailure || error instanceof NanoError ? written(error) : errorText(error));
      this.#note(`${number} ${name} failed ${elapsed()} see ${file}`);
      say(`  ✗ ${name.padEnd(12)} ${elapsed().padStart(8)}`);
      spawnSync('bash', ['setup/explain.sh', file], { cwd: this.#root, stdio: ['ignore', 2, 2] });
      process.exit(1);
    } finally {
      closeSync(descriptor);
    }
  }

  #note(line: string): void {
    const at = new Date().toISOString().replace(/\.\d+Z/, 'Z');
    appendFileSync(join(this.#root, 'logs', 'setup.log'), `${at} ${line}\n`);
  }
}

/** In the form in which a step in bash says it: setup/explain.sh reads both. */
function written(failure: StepFailure | NanoError): string {
  const line = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return `setup: why: ${line(failure.message)}\nsetup: remedy: ${line(failure.remedy)}`;
}

/** For a person; stdout is for the reply alone. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Beside a step's line while it runs. */
export function sayMeanwhile(text: string): void {
  say(`${process.stderr.isTTY ? '\r\u001b[K' : ''}    ${text}`);
}

function show(text: () => string): () => void {
  const { isTTY = false, columns = 80 } = process.stderr;
  const timer = setInterval(
    () => process.stderr.write(isTTY ? `\r\u001b[K  … ${text().slice(0, columns - 5)}` : `  … ${text()}\n`),
    isTTY ? TERMINAL_MS : PLAIN_MS,
  );
  return () => {
    clearInterval(timer);
    if (isTTY) process.stderr.write('\r\u001b[K');
  };
}
