import { setTimeout as pause } from 'node:timers/promises';
import { errorText, type Log } from './log.ts';
import { OutboundLostError } from './mailbox/outbound.ts';

export const RETRY_MS = 250;
/** How long a step may fail (a full disk, a held lock) before the process ends, so that the host hears of it. */
const GIVE_UP_MS = 10_000;

/** Tries a step again that failed for a reason that may pass. Each has its own time: another's success says nothing about it. */
export class Persistence {
  readonly #log: Log;
  readonly #gaveUp: () => void;
  #ticksFailSince: number | null = null;
  /** Set when trying has been given up: what failed last. */
  fatal: unknown = null;

  constructor(log: Log, gaveUp: () => void) {
    this.#log = log;
    this.#gaveUp = gaveUp;
  }

  /** What a provider has reported is not to be had again, so the step is tried until it succeeds. */
  async insist(step: () => void): Promise<void> {
    let since: number | null = null;
    while (this.fatal === null) {
      try {
        step();
        return;
      } catch (error) {
        since ??= performance.now();
        this.#failed(error, since);
        await pause(RETRY_MS);
      }
    }
  }

  /** The loop's own step, which comes again by itself. False when it failed. */
  tick(step: () => void): boolean {
    try {
      step();
      this.#ticksFailSince = null;
      return true;
    } catch (error) {
      this.#ticksFailSince ??= performance.now();
      this.#failed(error, this.#ticksFailSince);
      return false;
    }
  }

  #failed(error: unknown, since: number): void {
    const forMs = Math.round(performance.now() - since);
    this.#log('error', 'step-failed', { error: errorText(error), forMs });
    if (forMs < GIVE_UP_MS && !(error instanceof OutboundLostError)) return;
    this.fatal ??= error;
    this.#gaveUp();
  }
}
