/**
 * What could not be done because the engine was away, and has to be done before anything is started: what should be gone by
 * then must not run beside it. Tried again until the engine answers.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Owed {
  add(what: string, pay: () => Promise<unknown>): void;
  /** Does all of it now. Rejects when the engine is still away. */
  settle(): Promise<void>;
}

export interface OwedParts {
  /** The engine is away: it stays owed. Anything else is told, and not tried again. */
  isLost(error: unknown): boolean;
  log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** Between two tries. */
  pauseMs?: number;
}

export function createOwed({ isLost, log, pauseMs = 2000 }: OwedParts): Owed {
  const owed = new Map<string, () => Promise<unknown>>();
  let trying = false;

  async function settle(): Promise<void> {
    for (const [what, pay] of owed) {
      try {
        await pay();
      } catch (error) {
        if (isLost(error)) throw error;
        log('what an engine was to end is not known to have ended', { what, error });
      }
      owed.delete(what);
    }
  }

  async function keepTrying(): Promise<void> {
    if (trying) return;
    trying = true;
    while (owed.size > 0) {
      // Nothing to stay alive for: the next host looks for it, too.
      await delay(pauseMs, undefined, { ref: false });
      await settle().catch(() => undefined); // still away
    }
    trying = false;
  }

  return {
    add(what, pay) {
      owed.set(what, pay);
      void keepTrying();
    },
    settle,
  };
}
