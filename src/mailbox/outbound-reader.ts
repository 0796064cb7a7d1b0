import { errorText } from '../errors.ts';
import { type OutboundSnapshot, parseAnswer, type ReadResult } from './outbound-rows.ts';
import { type ReaderProcess, startReaderProcess } from './reader/process.ts';

export type { OutboundSnapshot, ReadResult };

export interface OutboundReader {
  /**
   * What an agent's `outbound.db` says: messages with a higher seq, at most 100 and about 1 MB (`more` says that there
   * are others), the newest 1,000 acknowledgements in no order, and the state. Never rejects. `recover` plays a
   * journal back on a private copy; ask for it only when the sandbox is dead.
   */
  read(boxFolder: string, afterSeq: number, options?: { recover?: boolean }): Promise<ReadResult>;
  /** Starts the process ahead of the first read. */
  warm(): void;
  stop(): Promise<void>;
}

export interface OutboundReaderOptions {
  /** For one read, default 2,000; of CPU time where it recovers, which may wait for a slow disk many times as long. */
  deadlineMs?: number;
  /** The process ends after so long without a read, default 60,000, unless `isWanted` says that one may come. */
  idleMs?: number;
  isWanted?(): boolean;
  log(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

/** Starting takes 30 to 200 ms; this is for a machine that is busy with something else. */
const START_DEADLINE_MS = 20_000;
/** How often in a row a file may cost us the process before it is the file's fault (and not a machine that slept). */
const STRIKES = 2;
/** How many deadlines a recovering read may take that waits and does not work. */
const RECOVER_DEADLINES = 15;

/** Reads through one process that can be killed, so that no file of an agent can hold the host up. */
export function createOutboundReader(options: OutboundReaderOptions): OutboundReader {
  const { deadlineMs = 2000, idleMs = 60_000, log } = options;
  const strikes = new Map<string, number>();
  let reader: ReaderProcess | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let ended: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | null = null;
  let stopped = false;

  function running(): ReaderProcess {
    rest();
    if (reader) return reader;
    const started = startReaderProcess((line) => log('warn', 'Mailbox reader', { line: line.slice(0, 500) }));
    reader = started;
    ended = Promise.all([ended, started.ended.then(() => drop(started))]);
    return started;
  }

  /** At once, not when it has ended: a question must not go to one that is dying. */
  function drop(process: ReaderProcess): void {
    if (reader === process) reader = null;
    process.kill();
  }

  function rest(): void {
    if (idle) clearTimeout(idle);
    idle = setTimeout(() => {
      if (options.isWanted?.()) rest();
      else if (reader) drop(reader);
    }, idleMs);
    idle.unref();
  }

  async function isReady(process: ReaderProcess): Promise<boolean> {
    const timer = setTimeout(() => drop(process), START_DEADLINE_MS);
    const ready = await process.ready;
    clearTimeout(timer);
    if (!ready) log('error', 'The mailbox reader did not start', {});
    return ready;
  }

  async function serve(box: string, afterSeq: number, recover: boolean): Promise<ReadResult> {
    if (stopped) return { status: 'busy' };
    const process = running();
    if (!(await isReady(process))) return { status: 'busy' };
    let answered = false;
    let stalls = 0;
    const before = recover ? process.cpuMs() : 0;
    const timer = setInterval(() => {
      // What waits and does not work, waits for a slow disk: that is not the file's fault.
      const isStalled = recover && process.cpuMs() - before < deadlineMs;
      if (isStalled) stalls += 1;
      if (isStalled && stalls < RECOVER_DEADLINES) return;
      // When the host's own loop was held up, the answer lies there already: let it in first.
      setImmediate(() => !answered && drop(process));
    }, deadlineMs);
    const line = await process.ask({ box, afterSeq, recover });
    answered = true;
    clearInterval(timer);
    const result = line === null ? null : parseAnswer(line, afterSeq);
    if (result) {
      strikes.delete(box);
      return result;
    }
    drop(process);
    await process.ended;
    return stalls < RECOVER_DEADLINES ? strike(box) : { status: 'busy' };
  }

  function strike(box: string): ReadResult {
    if (stopped) return { status: 'busy' };
    const count = (strikes.get(box) ?? 0) + 1;
    strikes.set(box, count);
    log('warn', 'The mailbox reader was lost over a file', { box, count });
    if (count < STRIKES) return { status: 'busy' };
    strikes.delete(box);
    return { status: 'hostile', reason: `can not be read within ${deadlineMs} ms` };
  }

  /** No room for its private folder, or no process to be had. */
  function unusable(error: unknown): ReadResult {
    log('error', 'The mailbox reader can not be used', { error: errorText(error) });
    return { status: 'busy' };
  }

  return {
    read(boxFolder, afterSeq, { recover = false } = {}) {
      const result = tail.then(() => serve(boxFolder, afterSeq, recover)).catch(unusable);
      tail = result;
      return result;
    },
    warm() {
      tail = tail.then(() => !stopped && running()).catch(unusable);
    },
    async stop() {
      stopped = true;
      if (idle) clearTimeout(idle);
      if (reader) drop(reader);
      await Promise.all([tail, ended]);
    },
  };
}
