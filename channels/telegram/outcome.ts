import type { DeliveryResult } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import { Lost } from '../http/lost.ts';
import { Refusal } from './api.ts';

type NotSent = Exclude<DeliveryResult, { status: 'sent' }>;

const DEFAULT_REST_MS = 5_000;

/** What a failed call means for what was to be sent. Pure. */
export function outcomeOf(error: unknown, isConnected: boolean): NotSent {
  if (error instanceof Refusal) return refused(error);
  if (error instanceof Lost && error.unsent) {
    // While nothing is heard either, it waits for the way back, however long that takes.
    return { status: 'failed', retryable: true, error: error.message, ...(!isConnected && { offline: true }) };
  }
  if (error instanceof Lost) return { status: 'unknown', error: error.message };
  return { status: 'failed', retryable: true, error: errorText(error) };
}

function refused({ code, message, retryAfterMs }: Refusal): NotSent {
  const error = `Telegram refuses: ${message}`;
  if (code === 429) return { status: 'failed', retryable: true, error, retryAfterMs: retryAfterMs ?? DEFAULT_REST_MS };
  // The token: a person has to see to it, and what is to be said can wait for that.
  if (code === 401 || code === 404) return { status: 'failed', retryable: true, offline: true, error };
  return { status: 'failed', retryable: code >= 500, error };
}
