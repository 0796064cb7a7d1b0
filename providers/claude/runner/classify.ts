import type { ErrorClass } from '@nanoclaw/protocol';

export interface Failure {
  class: ErrorClass;
  retryable: boolean;
}

export interface Evidence {
  /** The SDK's own word for it, where it has one. */
  error?: string | undefined;
  /** HTTP status of the last answer; null when there was none. */
  status: number | null;
  /** What the SDK would show to a person. */
  text: string;
  /** Why the turn ended. */
  reason?: string | undefined;
}

const AUTH = new Set([
  'authentication_failed',
  'oauth_org_not_allowed',
  'account_on_hold',
  'verification_required',
  'cloud_credential_error',
]);
const CONNECTION = /ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|connection|timed out|fetch failed|socket|certificate/i;

/** Which of our classes it is, from whatever the SDK tells: a word, a status, or only a text. */
export function classify({ error, status, text, reason }: Evidence): Failure {
  if (reason === 'prompt_too_long' || /prompt is too long/i.test(text)) return { class: 'context', retryable: false };
  if (error === 'billing_error' || status === 402 || /credit balance is too low/i.test(text))
    return { class: 'billing', retryable: false };
  if ((error !== undefined && AUTH.has(error)) || status === 401 || status === 403)
    return { class: 'auth', retryable: false };
  if (error === 'rate_limit' || status === 429) return { class: 'rate-limit', retryable: true };
  // A gateway's word for a far end that it can't reach; ours says it, too.
  if (status === 502 || status === 504) return { class: 'network', retryable: true };
  if (error === 'overloaded' || (status !== null && status >= 500)) return { class: 'overload', retryable: true };
  if (status === null && (error === 'server_error' || CONNECTION.test(text)))
    return { class: 'network', retryable: true };
  if (status === 404 || /issue with the selected model/i.test(text)) return { class: 'model', retryable: false };
  // The API refused the request itself: the same again would be refused again.
  if (status !== null && status >= 400) return { class: 'crash', retryable: false };
  return { class: 'crash', retryable: true };
}

const LOST = /no conversation found|--resume requires a valid session/i;

/** The transcript that a continuation names is gone. */
export const isLostContinuation = (text: string): boolean => LOST.test(text);

/** The user hears of trouble after about this long; then our own retries take over, which survive a restart. */
export const PATIENCE_MS = 10_000;

export interface RetryNotice {
  attempt: number;
  delayMs: number;
  status: number | null;
  error: string;
}

/** Whether to stop the harness's own retries: it would wait too long, or it is refused for what it is. */
export function givesUp(retry: RetryNotice, sinceFirstMs: number): boolean {
  const { class: kind } = classify({ error: retry.error, status: retry.status, text: '' });
  return (kind === 'auth' && retry.attempt >= 2) || sinceFirstMs + retry.delayMs > PATIENCE_MS;
}
