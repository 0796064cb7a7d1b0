import { faultPoint } from '@nanoclaw/protocol';
import type { Logger } from './log/index.ts';

/** The steps of a shutdown, one after the other. Each on its own: what fails (a full disk) must not keep the rest from ending. */
export async function inOrder(steps: readonly (() => unknown)[], log: Logger): Promise<void> {
  for (const step of steps) {
    try {
      await step();
      faultPoint('shutdown.step');
    } catch (error) {
      log.error('while stopping', { error });
    }
  }
}
