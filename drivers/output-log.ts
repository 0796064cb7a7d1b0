/** What a sandbox prints: kept in a file of limited size, with its last lines at hand. Every driver uses it. */
import { mkdirSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

export interface LogLimits {
  /** A file is rotated when it would grow beyond this. */
  fileBytes: number;
  /** Older files beside the current one: `name.1` is the newest of them. */
  keep: number;
  /** Faster output is held back in its pipe, so that a flood costs the host no more than this. */
  bytesPerSecond: number;
}

export const LOG_LIMITS: LogLimits = { fileBytes: 5 * 1024 * 1024, keep: 3, bytesPerSecond: 4 * 1024 * 1024 };

const TAIL_BYTES = 16 * 1024;
const TAIL_LINES = 30;
const LINE_LENGTH = 500;
/** What is longer is written in parts. */
const LONGEST_LINE = 64 * 1024;

export interface OutputLog {
  /** Resolves once the streams have ended and everything is written. Never rejects: a full disk loses lines, not the sandbox. */
  readonly drained: Promise<void>;
  lastLines(): string[];
  /** A line of the driver's own, for the last lines. */
  add(line: string): void;
}

export function captureOutput(streams: readonly Readable[], file: string, limits: LogLimits = LOG_LIMITS): OutputLog {
  const tail = new Tail();
  const sink = new RotatingFile(file, limits);
  const pump = async (stream: Readable): Promise<void> => {
    let rest = Buffer.alloc(0);
    const put = async (bytes: Buffer): Promise<void> => {
      tail.add(bytes);
      await sink.write(bytes);
    };
    try {
      for await (const chunk of stream) {
        const bytes = Buffer.concat([rest, Buffer.from(chunk)]);
        // Whole lines: neither a rotation nor the other stream may cut one in two.
        const end = bytes.length > LONGEST_LINE ? bytes.length : bytes.lastIndexOf(10) + 1;
        rest = bytes.subarray(end);
        if (end > 0) await put(bytes.subarray(0, end));
      }
      if (rest.length > 0) await put(Buffer.concat([rest, Buffer.from('\n')]));
    } catch (error) {
      tail.add(Buffer.from(`\n(output lost: ${error instanceof Error ? error.message : String(error)})\n`));
      stream.resume(); // a sandbox must not hang on a pipe that nobody reads
    }
  };
  const drained = Promise.all(streams.map(pump)).then(() => sink.close());
  return { drained, lastLines: () => tail.lines(), add: (line) => tail.add(Buffer.from(`\n${line}\n`)) };
}

/** Lines for people: no control characters, which could forge what a terminal shows, and none too long. */
export function lastLines(text: string): string[] {
  return stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trimEnd())
    .filter((line) => line !== '')
    .slice(-TAIL_LINES)
    .map((line) => line.slice(0, LINE_LENGTH));
}

class Tail {
  #kept = Buffer.alloc(0);

  add(bytes: Buffer): void {
    const joined = Buffer.concat([this.#kept, bytes.subarray(-TAIL_BYTES)]);
    this.#kept = Buffer.from(joined.subarray(-TAIL_BYTES));
  }

  lines(): string[] {
    return lastLines(this.#kept.toString('utf8'));
  }
}

class RotatingFile {
  readonly #file: string;
  readonly #limits: LogLimits;
  #handle: FileHandle | undefined;
  #size = 0;
  #queue: Promise<void> = Promise.resolve();
  #second = { since: 0, bytes: 0 };

  constructor(file: string, limits: LogLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Two streams write here: one chunk after the other, so that a rotation never falls between. */
  write(bytes: Buffer): Promise<void> {
    const written = this.#queue.then(() => this.#append(bytes));
    this.#queue = written.catch(() => undefined); // its own caller hears of it; the next chunk tries again
    return written;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #append(bytes: Buffer): Promise<void> {
    if (this.#handle && this.#size + bytes.length > this.#limits.fileBytes) await this.#rotate();
    if (!this.#handle) {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      this.#handle = await open(this.#file, 'a', 0o600);
      this.#size = (await this.#handle.stat()).size;
    }
    await this.#handle.appendFile(bytes);
    this.#size += bytes.length;
    await this.#slowDown(bytes.length);
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    const name = (age: number): string => (age === 0 ? this.#file : `${this.#file}.${age}`);
    for (let age = this.#limits.keep - 1; age >= 0; age--) {
      await rename(name(age), name(age + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }

  async #slowDown(bytes: number): Promise<void> {
    const now = performance.now();
    if (now - this.#second.since > 1000) this.#second = { since: now, bytes: 0 };
    this.#second.bytes += bytes;
    if (this.#second.bytes > this.#limits.bytesPerSecond) await delay(1000 - (now - this.#second.since));
  }
}
