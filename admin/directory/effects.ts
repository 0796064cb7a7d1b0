import type { Logger } from '../../src/log/index.ts';

/**
 * What follows a change outside of the database: folders, sandboxes, inbound.db. It runs when the transaction has ended, and
 * looks at the database itself, so that a change which was undone has no effect.
 */
export interface Effects {
  later(work: () => Promise<void> | void): void;
  /** What `work` leaves for later doesn't happen. */
  withhold<T>(work: () => T): T;
  /** Resolves when all is done. Never rejects. */
  settled(): Promise<void>;
}

export function createEffects(log: Pick<Logger, 'error'>): Effects {
  let queue: (() => Promise<void> | void)[] = [];
  let running = Promise.resolve();

  async function run(): Promise<void> {
    const work = queue;
    queue = [];
    for (const one of work) {
      try {
        await one();
      } catch (error) {
        log.error('what follows a change was not done', { error });
      }
    }
  }

  return {
    later(work) {
      queue.push(work);
      // Transactions never wait: in the next turn of the event loop this one has ended.
      if (queue.length === 1) running = Promise.all([running, new Promise(setImmediate).then(run)]).then(() => {});
    },
    withhold(work) {
      const kept = queue;
      queue = [];
      try {
        return work();
      } finally {
        queue = kept;
      }
    },
    settled: () => running,
  };
}
