import { constants, type StatsFs } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

/** How much room the disk of `data/` has: from 90 % on the owner is warned, near its end nothing new is accepted. */

export type DiskState = 'enough' | 'scarce' | 'full';

/** Set by a test that has no time to wait. */
const LOOK_MS = Number(process.env.NANOCLAW_DISK_LOOK_MS ?? 10_000);
const SCARCE = 0.9;
/** What is left below this belongs to what was accepted before: answers, logs, the database's own journal. */
const LEAST_SHARE = 0.05;
const LEAST_BYTES = 256 * 1024 ** 2;
const LEAST_FILES = 1_000;
/** A state is left a little later than it was entered, so that a log line more or less doesn't flap. */
const SLACK = 1.25;

/** Pure. `free` is what this user may still take: the system keeps some for root. */
export function diskState(
  { blocks, bfree, bavail, bsize, files, ffree }: Omit<StatsFs, 'type'>,
  before: DiskState = 'enough',
): DiskState {
  const used = blocks - bfree;
  const least = Math.min((used + bavail) * bsize * LEAST_SHARE, LEAST_BYTES);
  // Some file systems count no inodes.
  const leastFiles = Math.min(files * LEAST_SHARE, LEAST_FILES);
  const slack = before === 'full' ? SLACK : 1;
  if (bavail * bsize < least * slack || ffree < leastFiles * slack) return 'full';
  const scarce = before === 'enough' ? SCARCE : 1 - (1 - SCARCE) * SLACK;
  return used >= (used + bavail) * scarce ? 'scarce' : 'enough';
}

export interface DiskWatch {
  state(): DiskState;
  /** False: a mount that became read-only, or a right that was taken. What the host has open may still be written. */
  writable(): boolean;
  /** One line for the owner; undefined while there is room. */
  problem(): string | undefined;
  /** Looks once, then every 10 s. */
  start(): Promise<void>;
  stop(): void;
}

/** `onChange` is called at each crossing, not for what was found at the first look. */
export function createDiskWatch(parts: {
  folder: string;
  onChange(state: DiskState, before: DiskState): void;
  log: Logger;
}): DiskWatch {
  const { folder, log } = parts;
  let state: DiskState = 'enough';
  let timer: NodeJS.Timeout | undefined;
  let freeMb = 0;
  let refusal: string | undefined;

  async function look(): Promise<void> {
    const before = refusal;
    refusal = await access(folder, constants.W_OK).then(() => undefined, errorText);
    if (refusal !== before) log[refusal ? 'warn' : 'info']('data/ can be written', { refusal: refusal ?? null });
    try {
      const stats = await statfs(folder);
      const before = state;
      freeMb = Math.floor((stats.bavail * stats.bsize) / 1024 ** 2);
      state = diskState(stats, before);
      if (state === before) return;
      log[state === 'enough' ? 'info' : 'warn']('room on the disk', { state, before, freeMb });
      if (timer) parts.onChange(state, before);
    } catch (error) {
      log.error('the disk could not be looked at', { error: errorText(error) });
    }
  }

  return {
    state: () => state,
    writable: () => refusal === undefined,
    problem() {
      if (refusal !== undefined) return `data/ can not be written, and new messages are refused: ${refusal}.`;
      if (state === 'enough') return undefined;
      const what = state === 'full' ? 'full: new messages are refused until there is room' : 'more than 90 % full';
      return `The disk of data/ is ${what}. ${freeMb} MB are free.`;
    },
    async start() {
      await look();
      timer = setInterval(() => void look(), LOOK_MS);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}
