import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ReaderProcess {
  /** False when it could not be started. Never rejects. */
  readonly ready: Promise<boolean>;
  /** Resolves when it has ended and its private folder is gone. Never rejects. */
  readonly ended: Promise<void>;
  /** The answer's line, null when the process ended first. One question at a time. */
  ask(question: { box: string; afterSeq: number; recover: boolean }): Promise<string | null>;
  kill(): void;
  /** What it has used so far, in ms; 0 when it has ended. */
  cpuMs(): number;
}

/** Megabytes for JavaScript values; file images lie outside of this heap. */
const HEAP_MB = 64;

/**
 * Starts the reader with an empty environment. Node's permission model takes processes, threads, addons and writing
 * by `node:fs` away from it. It does not cover `node:sqlite`: there the authorizer and `attach: 0` stand alone.
 */
export function startReaderProcess(onComplaint: (line: string) => void): ReaderProcess {
  const privateFolder = mkdtempSync(join(tmpdir(), 'nanoclaw-reader-'));
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  // A compile cache of its own (it takes 50 of 80 ms from the start): what this process writes, the host never runs.
  const hostCache = getCompileCacheDir();
  const cache = hostCache ? join(dirname(hostCache), 'mailbox-reader') : null;
  if (cache) mkdirSync(cache, { recursive: true });
  const writable = cache ? [privateFolder, cache] : [privateFolder];
  const flags = ['--permission', '--allow-fs-read=*', ...writable.map((folder) => `--allow-fs-write=${folder}/`)];
  // A small nursery: each read's database is let go of soon, or the process grows by half over a hundred thousand reads.
  const heap = [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=1'];
  const child = spawn(process.execPath, [...flags, ...heap, main, privateFolder], {
    cwd: '/',
    env: cache ? { NODE_COMPILE_CACHE: cache } : {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let waiting: ((line: string | null) => void) | null = null;
  const settle = (line: string | null) => {
    const resolve = waiting;
    waiting = null;
    resolve?.(line);
  };
  const nextLine = () => new Promise<string | null>((resolve) => (waiting = resolve));

  let alive = true;
  const ready = nextLine().then((line) => line === 'ready');
  createInterface({ input: child.stdout }).on('line', settle);
  createInterface({ input: child.stderr }).on('line', onComplaint);
  // It may end while a question is on the way; `close` answers that one.
  child.stdin.on('error', (error) => onComplaint(error.message));
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      alive = false;
      settle(null);
      rmSync(privateFolder, { recursive: true, force: true });
      resolve();
    };
    child.on('close', end);
    child.on('error', (error) => {
      onComplaint(error.message);
      if (child.pid === undefined) end();
    });
  });

  return {
    ready,
    ended,
    ask(question) {
      if (!alive) return Promise.resolve(null);
      const line = nextLine();
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return line;
    },
    cpuMs() {
      try {
        const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        // Linux tells it in hundredths of a second, on every machine that Node runs on.
        return (Number(fields[11]) + Number(fields[12])) * 10;
      } catch {
        return 0; // ended meanwhile
      }
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}
