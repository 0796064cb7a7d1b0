import { uptime } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import type { HousekeepingReport } from '../admin-view.ts';
import { TERMINAL_CHANNEL, TERMINAL_PLATFORM_ID } from '../channels/terminal/address.ts';
import { createClockWatch } from '../clock.ts';
import { transaction } from '../db/group-commit.ts';
import { readEnvFile } from '../env.ts';
import { errorText } from '../errors.ts';
import type { Logger } from '../log/index.ts';
import type { Paths } from '../paths.ts';
import type { TakeOver } from '../take-over.ts';
import { createDiskWatch } from './disk.ts';
import { tidyFiles } from './files.ts';
import { KINDS, readLimits } from './limits.ts';
import { tidyRows } from './rows.ts';

/** Keeps the install from growing for ever, and from running into a full disk. */

const FIRST_MS = 5 * 60_000;
const EVERY_MS = 24 * 3_600_000;
/** A clock that was set by more than this is not trusted to say what is old, until the next round. */
const JUMP_MS = 3_600_000;

export interface HousekeepingParts {
  db: DatabaseSync;
  paths: Paths;
  /** Settings, as they are now. */
  env(): Readonly<Record<string, string | undefined>>;
  takeOver: TakeOver;
  deliver(messageIds: readonly string[]): void;
  log: Logger;
}

export type Housekeeping = ReturnType<typeof createHousekeeping>;

export function createHousekeeping({ db, paths, env, takeOver, deliver, log }: HousekeepingParts) {
  const end = new AbortController();
  const { signal } = end;
  // Of the kinds of monotonic time, the one that goes on while a laptop sleeps.
  const clock = createClockWatch(Date.now, () => uptime() * 1000);
  let last: Promise<unknown> = Promise.resolve();
  const disk = createDiskWatch({
    folder: paths.data,
    onChange(state, before) {
      if (before === 'enough') tellOwner(`⚠️ ${disk.problem()}`);
      if (state === 'enough') tellOwner('There is room on the disk again.');
      else soon(0);
    },
    log,
  });

  function tellOwner(text: string): void {
    const chat = { channel_type: TERMINAL_CHANNEL, platform_id: TERMINAL_PLATFORM_ID, thread_id: null };
    try {
      deliver([transaction(db, () => takeOver.say(chat, null, text, null, Date.now()))]);
    } catch (error) {
      log.warn('the owner could not be told', { text, error: errorText(error) });
    }
  }

  async function round(dryRun: boolean): Promise<HousekeepingReport> {
    signal.throwIfAborted();
    const now = Date.now();
    if (Math.abs(clock.look()) > JUMP_MS) {
      log.warn('housekeeping skips a round: the clock was set');
      return { dryRun, skipped: true, gone: [] };
    }
    const limits = readLimits(env(), log.warn);
    const gone = [
      ...(await tidyRows(db, limits, now, dryRun, signal)),
      ...(await tidyFiles({ db, paths, limits, now, dryRun, signal, log })),
    ];
    const report = { dryRun, skipped: false, gone: KINDS.map((kind) => sum(kind, gone)) };
    log.info('housekeeping', { ...report });
    return report;
  }

  /** One round at a time. */
  function run(dryRun: boolean): Promise<HousekeepingReport> {
    const next = last.then(() => round(dryRun));
    last = next.catch(() => undefined);
    return next;
  }

  function soon(ms: number): void {
    setTimeout(() => {
      run(false).catch((error: unknown) => signal.aborted || log.error('housekeeping failed', { error }));
    }, ms).unref();
  }

  return {
    isFull: () => disk.state() === 'full',
    /** A sentence for each thing that the owner should see to. */
    problems(): string[] {
      const told = [disk.problem()].filter((problem) => problem !== undefined);
      readLimits(env(), (sentence) => told.push(sentence));
      try {
        readEnvFile(paths.env);
      } catch (error) {
        told.push(`${errorText(error)} What was read before is used.`);
      }
      return told;
    },
    run,
    async start(): Promise<void> {
      readLimits(env(), log.warn);
      await disk.start();
      soon(FIRST_MS);
      setInterval(() => soon(0), EVERY_MS).unref();
    },
    /** The database may be closed afterwards. */
    stop(): void {
      disk.stop();
      end.abort();
    },
  };
}

function sum(kind: string, gone: readonly { kind: string; count: number; bytes: number }[]) {
  const own = gone.filter((one) => one.kind === kind);
  const add = (key: 'count' | 'bytes') => own.reduce((total, one) => total + one[key], 0);
  return { kind, count: add('count'), bytes: add('bytes') };
}
