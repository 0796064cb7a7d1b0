import type { Socket } from 'node:net';

export interface LineHandlers {
  line(text: string): void;
  /** A line was longer than the cap. It is skipped up to its end; what comes after it is read as usual. */
  overflow(): void;
}

/** Newline-delimited text from a socket, in any chunks. `maxBytes` bounds what is kept in memory of one line. */
export function readLines(socket: Socket, maxBytes: number, handlers: LineHandlers): void {
  let parts: Buffer[] = [];
  let size = 0;
  let skipping = false;

  function take(part: Buffer): void {
    if (skipping || part.length === 0) return;
    if (size + part.length > maxBytes) {
      skipping = true;
      parts = [];
      size = 0;
      handlers.overflow();
      return;
    }
    parts.push(part);
    size += part.length;
  }

  function end(): void {
    const text = skipping ? '' : Buffer.concat(parts).toString('utf8').trim();
    parts = [];
    size = 0;
    skipping = false;
    if (text !== '') handlers.line(text);
  }

  socket.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, newline));
      end();
      from = newline + 1;
    }
    take(chunk.subarray(from));
  });
}

/** The value of a line of JSON; undefined when it is none. */
export function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A result like any other: the caller refuses the line.
    return undefined;
  }
}

/** Resolves when the kernel has taken the line; false when the other side is gone. */
export function sendLine(socket: Socket, value: unknown): Promise<boolean> {
  if (!socket.writable) return Promise.resolve(false);
  return new Promise((resolve) => socket.write(`${JSON.stringify(value)}\n`, (error) => resolve(!error)));
}
