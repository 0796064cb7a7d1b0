import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const CHUNK = 64 * 1024;
const POLL_MS = 200;

/** The last `count` lines of a file, whatever its size; none when it isn't there. */
export function lastLines(path: string, count: number): string[] {
  if (count === 0 || !existsSync(path)) return [];
  const descriptor = openSync(path, 'r');
  try {
    let position = fstatSync(descriptor).size;
    let bytes = Buffer.alloc(0);
    while (position > 0 && newlines(bytes) <= count) {
      const size = Math.min(CHUNK, position);
      position -= size;
      bytes = Buffer.concat([readAt(descriptor, position, size), bytes]);
    }
    return bytes.toString('utf8').replace(/\n$/, '').split('\n').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count++;
  return count;
}

/** Hands over each line that is added from now on, also after a rotation, until the signal aborts. */
export function follow(path: string, line: (text: string) => void, signal: AbortSignal): Promise<void> {
  let rest = Buffer.alloc(0);
  let open = existsSync(path) ? openAt(path) : undefined;

  function drain(): void {
    if (!open) return;
    for (let size = CHUNK; size === CHUNK; ) {
      const bytes = readAt(open.descriptor, open.position, CHUNK);
      size = bytes.length;
      open.position += size;
      const whole = Buffer.concat([rest, bytes]);
      const end = whole.lastIndexOf(10) + 1;
      rest = whole.subarray(end);
      for (const text of whole.subarray(0, end).toString('utf8').split('\n').slice(0, -1)) line(text);
    }
  }

  function look(): void {
    drain();
    const now = statSync(path, { throwIfNoEntry: false });
    if (!now || (now.ino === open?.inode && now.size >= open.position)) return;
    // Rotated or cut: what was still written to the old one has been read by now.
    if (open) closeSync(open.descriptor);
    open = openAt(path, 0);
    rest = Buffer.alloc(0);
    drain();
  }

  return new Promise((resolve) => {
    const timer = setInterval(look, POLL_MS);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      if (open) closeSync(open.descriptor);
      resolve();
    });
  });
}

function openAt(path: string, position?: number): { descriptor: number; inode: number; position: number } {
  const descriptor = openSync(path, 'r');
  const { ino, size } = fstatSync(descriptor);
  return { descriptor, inode: ino, position: position ?? size };
}

function readAt(descriptor: number, position: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, size, position));
}

/** A log's files, the oldest first: what was rotated away stands in `<path>.1` and on. */
export function rotated(path: string): string[] {
  const older: string[] = [];
  while (existsSync(`${path}.${older.length + 1}`)) older.unshift(`${path}.${older.length + 1}`);
  return existsSync(path) ? [...older, path] : older;
}

/** Every line of a log, the oldest first; of those files alone that were written to since then (ISO-8601 UTC). */
export function allLines(path: string, since = ''): string[] {
  return rotated(path)
    .filter((file) => statSync(file).mtime.toISOString() >= since)
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '');
}
