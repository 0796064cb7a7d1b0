import { z } from 'zod';
import type { ChannelContext } from '../../src/channels/plugin.ts';

/**
 * How far messages have come that take several calls: a text and its files. What stands in the chat is not put there again
 * when a later call fails, nor after a crash.
 */
export interface Steps {
  /** `keeps`: others follow or went before. Returns the platform's id of what was sent, now or then. */
  once(id: string, index: number, step: () => Promise<string>, keeps: boolean): Promise<string>;
  forget(id: string): void;
}

const KEY = 'sending';
const MOST = 50;
const Kept = z.array(z.tuple([z.string(), z.array(z.string())]));

export function createSteps({ recall, remember, log }: Pick<ChannelContext, 'recall' | 'remember' | 'log'>): Steps {
  const done = new Map<string, string[]>(read(recall(KEY)));

  /** What stands in the chat is sent, whether or not that can be written down: until this process ends it is known. */
  function keep(): void {
    try {
      remember(KEY, JSON.stringify([...done].slice(-MOST)));
    } catch (error) {
      log.error('what was sent can not be noted', { error });
    }
  }

  return {
    async once(id, index, step, keeps) {
      const before = done.get(id)?.[index];
      if (before !== undefined) return before;
      const sent = await step();
      if (keeps) {
        done.set(id, [...(done.get(id) ?? []), sent]);
        keep();
      }
      return sent;
    },
    forget(id) {
      if (done.delete(id)) keep();
    },
  };
}

function read(text: string | undefined): [string, string[]][] {
  try {
    return Kept.parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}
