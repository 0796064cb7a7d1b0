import { uptime } from 'node:os';
import type { DatabaseSync } from 'node:sqlite';
import { TERMINAL_CHANNEL, TERMINAL_PLATFORM_ID } from '../../channels/terminal/address.ts';
import type { Audit } from '../../src/audit/index.ts';
import { createClockWatch } from '../../src/clock.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { readEnvFile } from '../../src/env.ts';
import { type ErrorCode, errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Paths } from '../../src/paths.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { HousekeepingReport } from '../view.ts';
import { createRetention } from './audit.ts';
import { createClockTrust } from './clock-trust.ts';
import { createDiskWatch } from './disk.ts';
import { tidyFiles } from './files.ts';
import { KINDS, readLimits } from './limits.ts';
import { type Gone, inSteps, tidyRows } from './rows.ts';

/** Keeps the install from growing for ever, and from running into a full disk. */

const FIRST_MS = 5 * 60_000;
const EVERY_MS = 24 * 3_600_000;
/** After the clock was set by more than this, one round is left out. */
const JUMP_MS = 3_600_000;

export interface HousekeepingParts {
  db: DatabaseSync;
  paths: Paths;
  /** Settings, as they are now. */
  env(): Readonly<Record<string, string | undefined>>;
  takeOver: TakeOver;
  audit: Audit;
  deliver(messageIds: readonly string[]): void;
  log: Logger;
}

export function createHousekeeping({ db, paths, env, takeOver, audit, deliver, log }: HousekeepingParts) {
  const end = new AbortController();
  const { signal } = end;
  // Of the kinds of monotonic time, the one that goes on while a laptop sleeps.
  const clock = createClockWatch(Date.now, () => uptime() * 1000);
  const trust = createClockTrust(db, paths.data, log);
  const retention = createRetention(db, audit);
  let last: Promise<unknown> = Promise.resolve();
  const disk = createDiskWatch({
    folder: paths.data,
    onChange(state, before) {
      if (before === 'enough' || state === 'full') tellOwner(`⚠️ ${disk.problem()}`);
      if (state === 'enough') tellOwner('There is room on the disk again.');
      else soon(0);
    },
    log,
  });

  function tellOwner(text: string, hand = deliver): void {
    const chat = { channel_type: TERMINAL_CHANNEL, platform_id: TERMINAL_PLATFORM_ID, thread_id: null };
    try {
      hand([transaction(db, () => takeOver.say(chat, null, text, null, Date.now()))]);
    } catch (error) {
      log.warn('the owner could not be told', { text, error: errorText(error) });
    }
  }

  async function round(dryRun: boolean, byHand: boolean): Promise<HousekeepingReport> {
    signal.throwIfAborted();
    const now = Date.now();
    if (Math.abs(clock.look()) > JUMP_MS) {
      log.warn('housekeeping skips a round: the clock was set');
      return { dryRun, skipped: true, gone: [] };
    }
    if (!dryRun && !trust.believes(now, byHand)) {
      log.warn('housekeeping skips a round', { problem: trust.problem(now) });
      return { dryRun, skipped: true, gone: [] };
    }
    const limits = readLimits(env(), log.warn);
    const gone: Gone[] = [
      ...(await tidyRows(db, limits, now, dryRun, signal)),
      retention.drop(limits.audit, now, dryRun),
      ...(await tidyFiles({ db, paths, limits, now, dryRun, signal, log })),
    ];
    if (!dryRun) await inSteps(db, retention.step, signal);
    const report = { dryRun, skipped: false, gone: KINDS.map((kind) => sum(kind, gone)) };
    log.info('housekeeping', { ...report });
    return report;
  }

  /** One round at a time. `byHand`: an owner asks for it, and thereby says that the clock is right. */
  function run(dryRun: boolean, byHand = true): Promise<HousekeepingReport> {
    const next = last.then(() => round(dryRun, byHand));
    last = next.catch(() => undefined);
    return next;
  }

  function soon(ms: number): void {
    setTimeout(() => {
      run(false, false).catch((error: unknown) => signal.aborted || log.error('housekeeping failed', { error }));
    }, ms).unref();
  }

  return {
    refusal: (): ErrorCode | undefined =>
      !disk.writable() ? 'NC_DATA_FOLDER' : disk.state() === 'full' ? 'NC_DISK_FULL' : undefined,
    /** A sentence for each thing that the owner should see to. */
    problems(): string[] {
      const told = [disk.problem(), trust.problem(Date.now())].filter((problem) => problem !== undefined);
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
      // Only written: it is sent with what else waits from before. While it is only scarce, a start says nothing again.
      if (disk.state() === 'full') tellOwner(`⚠️ ${disk.problem()}`, () => undefined);
      if (!trust.believes(Date.now(), false))
        log.warn('the clock is not believed', { problem: trust.problem(Date.now()) });
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
