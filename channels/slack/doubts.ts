import { z } from 'zod';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Api } from './api.ts';

/**
 * Messages that may stand there, though no answer said so. Slack knows none by an id of ours, but shows what it has: before such
 * a message is said once more it is looked for, by its words, among the bot's own that no answer has named.
 */

export interface Doubt {
  channel: string;
  thread: string | undefined;
  /** As it was sent. */
  text: string;
}

const KEPT = 500;
/** Slack's clock may be another one. */
const MARGIN_MS = 5 * 60_000;
const Page = z.object({
  messages: z.array(z.looseObject({ ts: z.string(), user: z.string().optional(), text: z.string().optional() })),
});

export function createDoubts(api: Api, botUserId: () => string | undefined, log: Logger) {
  const doubts = new Map<string, Doubt & { since: number }>();
  const named = new Set<string>();

  return {
    /** This one stands there for sure. */
    sent(id: string, channel: string, ts: string): void {
      doubts.delete(id);
      named.add(`${channel} ${ts}`);
      const [oldest] = named;
      if (named.size > KEPT && oldest !== undefined) named.delete(oldest);
    },
    note(id: string, doubt: Doubt): void {
      // The words of the first attempt: the next one says that it may be a repeat.
      if (!doubts.has(id)) doubts.set(id, { ...doubt, since: Date.now() - MARGIN_MS });
      const [oldest] = doubts.keys();
      if (doubts.size > KEPT && oldest !== undefined) doubts.delete(oldest);
    },
    /** The platform's id of it, when it was found. */
    async find(id: string): Promise<string | undefined> {
      const doubt = doubts.get(id);
      if (!doubt) return undefined;
      const { channel, thread, text, since } = doubt;
      const from = { channel, oldest: (since / 1000).toFixed(6), limit: 100 };
      const [method, fields] =
        thread === undefined ? ['conversations.history', from] : ['conversations.replies', { ...from, ts: thread }];
      try {
        const { messages } = await api.call(method, fields, Page);
        const isIt = (one: (typeof messages)[number]) =>
          one.text === text && one.user === botUserId() && !named.has(`${channel} ${one.ts}`);
        return messages.find(isIt)?.ts;
      } catch (error) {
        log.info('whether it was said can not be seen', { id, error: errorText(error) });
        return undefined;
      }
    },
  };
}
