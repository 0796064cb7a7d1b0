import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorText } from '../errors.ts';

const FLUSH_BYTES = 64 * 1024;

export interface RotatingFile {
  /** Kept in memory until the next flush. Never throws. */
  append(line: string): void;
  /** Writes what is kept. Never throws: what a full disk refuses is dropped, counted, and told once on stderr. */
  flush(): void;
  close(): void;
}

/** Appends lines to `path`; past `maxBytes` it becomes `path.1`, the one before `path.2`, up to `keep` of them. */
export function createRotatingFile(path: string, maxBytes: number, keep: number): RotatingFile {
  let lines: string[] = [];
  let waiting = 0;
  let file: { descriptor: number; size: number } | undefined;
  let lost = 0;

  function flush(): void {
    if (lines.length === 0) return;
    const batch = lines;
    lines = [];
    waiting = 0;
    try {
      const note =
        lost > 0 ? `${JSON.stringify({ time: new Date(), level: 'warn', message: 'log lines lost', lost })}\n` : '';
      write(Buffer.from(note + batch.join('')));
      lost = 0;
    } catch (error) {
      if (lost === 0) tellStderr(`nanoclaw: can not write ${path}: ${errorText(error)}\n`);
      lost += batch.length;
      close();
    }
  }

  function write(bytes: Buffer): void {
    // Somebody may have moved or deleted the file.
    if (file && fstatSync(file.descriptor).nlink === 0) close();
    file ??= open();
    if (file.size > 0 && file.size + bytes.length > maxBytes) {
      close();
      rotate();
      file = open();
    }
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(file.descriptor, bytes, written);
      written += count;
      file.size += count;
    }
  }

  function open(): { descriptor: number; size: number } {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(path, 'a', 0o600);
    return { descriptor, size: fstatSync(descriptor).size };
  }

  function rotate(): void {
    for (let number = keep - 1; number >= 1; number--) renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    renameIfThere(path, `${path}.1`);
  }

  function close(): void {
    if (file) closeSync(file.descriptor);
    file = undefined;
  }

  return {
    append(line) {
      lines.push(line);
      waiting += line.length;
      if (waiting >= FLUSH_BYTES) flush();
    },
    flush,
    close() {
      flush();
      close();
    },
  };
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Synchronous, and past the stream: a closed stderr must not end the process by an event. */
export function tellStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is nowhere left to say it.
  }
}
