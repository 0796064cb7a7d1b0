import type { DeliveryResult } from '../../../src/channels/adapter.ts';
import { errorText } from '../../../src/errors.ts';
import { Lost } from '../../http/lost.ts';
import { Refusal } from './api.ts';

type NotSent = Exclude<DeliveryResult, { status: 'sent' }>;

/** What a person can do about it, where Discord's own words don't say. */
const SENTENCES: ReadonlyMap<number, string> = new Map([
  [10_003, 'There is no such channel any more, or the bot was removed from its server.'],
  [10_008, 'That message is gone.'],
  [10_014, 'Discord knows no such emoji.'],
  [50_001, 'The bot may not see that channel. Give its role "View Channel" there.'],
  [
    50_007,
    'That person takes no direct messages from the bot: they allow it, or leave a server that they share with it.',
  ],
  [50_008, 'Nothing can be written in that channel itself: a forum takes posts alone.'],
  [50_013, 'The bot lacks a permission there: Send Messages, Send Messages in Threads, Attach Files or Add Reactions.'],
  [50_083, 'The thread is archived and locked.'],
  [40_005, 'The files are larger than Discord takes.'],
]);

/** What a failed call means for what was to be sent. `isSame`: done twice it is the same. Pure. */
export function outcomeOf(error: unknown, isConnected: boolean, isSame = false): NotSent {
  if (error instanceof Refusal) return refused(error, isSame);
  if (error instanceof Lost && error.unsent) {
    // While nothing is heard either, it waits for the way back, however long that takes.
    return { status: 'failed', retryable: true, error: error.message, ...(!isConnected && { offline: true }) };
  }
  if (error instanceof Lost) return isSame ? again(error.message) : { status: 'unknown', error: error.message };
  return again(errorText(error));
}

export function sentenceOf({ code, message }: Refusal): string {
  return SENTENCES.get(code) ?? `Discord refuses: ${message}`;
}

function refused(refusal: Refusal, isSame: boolean): NotSent {
  const { status, retryAfterMs, isGlobal } = refusal;
  const error = sentenceOf(refusal);
  if (status === 429)
    return { ...again(error), ...(retryAfterMs !== undefined && { retryAfterMs }), account: isGlobal };
  // The token: a person has to see to it, and what is to be said can wait for that.
  if (status === 401) return { ...again('Discord refuses the token.'), offline: true };
  if (status >= 500) return isSame || status === 503 ? again(error) : { status: 'unknown', error };
  return { status: 'failed', retryable: false, error };
}

function again(error: string): NotSent & { status: 'failed' } {
  return { status: 'failed', retryable: true, error };
}
