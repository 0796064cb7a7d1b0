import { errorText, type Log } from './log.ts';

export const RETRY_MS = 250;
/** Failures in a row (a full disk, a held lock) after which the process gives up, so that the host hears of it. */
const MAX_FAILURES = 40;

/** Tries a step again that failed for a reason that may pass. */
export class Persistence {
  readonly #log: Log;
  readonly #gaveUp: () => void;
  #failures = 0;
  /** Set when trying has been given up: what failed last. */
  fatal: unknown = null;

  constructor(log: Log, gaveUp: () => void) {
    this.#log = log;
    this.#gaveUp = gaveUp;
  }

  /** What a provider has reported is not to be had again, so the step is tried until it succeeds. */
  async insist(step: () => void): Promise<void> {
    while (this.fatal === null) {
      try {
        step();
        this.succeeded();
        return;
      } catch (error) {
        this.failed(error);
        const { promise, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, RETRY_MS);
        await promise;
      }
    }
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(error: unknown): void {
    this.#failures++;
    this.#log('error', 'step-failed', { error: errorText(error), failures: this.#failures });
    if (this.#failures < MAX_FAILURES) return;
    this.fatal ??= error;
    this.#gaveUp();
  }
}
