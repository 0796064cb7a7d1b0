import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WebAnswer, WebRequest } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';

/**
 * The Events API and interactivity, both at one address. Slack signs the raw body and the time.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 */

const WINDOW_S = 5 * 60;
const KEPT = 5_000;
/** Slack's events are far smaller. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

export function sign(secret: string, timestamp: string, body: string | Buffer): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')}`;
}

/** Pure. */
export function isSigned(
  secret: string,
  { headers, body }: Pick<WebRequest, 'headers' | 'body'>,
  now: number,
): boolean {
  const { 'x-slack-signature': signature = '', 'x-slack-request-timestamp': timestamp = '' } = headers;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S) return false;
  const [given, wanted] = [Buffer.from(signature), Buffer.from(sign(secret, timestamp, body))];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** What a body holds: an event, or what was pressed. Undefined when it is neither. Pure. */
export function payloadOf({ headers, body }: Pick<WebRequest, 'headers' | 'body'>): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const isForm = (headers['content-type'] ?? '').includes('application/x-www-form-urlencoded');
    const json = isForm ? new URLSearchParams(text).get('payload') : text;
    const payload: unknown = JSON.parse(json ?? '');
    return typeof payload === 'object' && payload !== null ? payload : undefined;
  } catch {
    return undefined;
  }
}

export function createWebhook(secret: string, take: (payload: unknown) => Promise<void>, log: Logger) {
  /** Of requests that were taken: the same one again, with its old signature, is a replay. */
  const seen = new Set<string>();

  return async (request: WebRequest): Promise<WebAnswer> => {
    if (!isSigned(secret, request, Date.now())) return { status: 401, json: { error: 'not signed as it should be' } };
    const payload = payloadOf(request);
    if (payload === undefined) return { status: 400, json: { error: 'neither JSON nor a form with a payload' } };
    if (isQuestion(payload)) return { status: 200, json: { challenge: payload.challenge } };
    const { 'x-slack-signature': signature = '', 'x-slack-retry-num': retry } = request.headers;
    if (seen.has(signature)) {
      log.warn('a request came a second time, as it was');
      return { status: 200, json: { ok: true } };
    }
    if (retry !== undefined)
      log.info('slack brings an event again', { retry, why: request.headers['x-slack-retry-reason'] });
    try {
      await take(payload);
    } catch (error) {
      log.warn('an event was not taken, slack brings it again', { error: errorText(error) });
      return { status: 503, json: { error: 'not now' }, retryAfterS: 30 };
    }
    seen.add(signature);
    const [oldest] = seen;
    if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest);
    return { status: 200, json: { ok: true } };
  };
}

function isQuestion(payload: unknown): payload is { challenge: string } {
  if (typeof payload !== 'object' || payload === null || !('type' in payload) || !('challenge' in payload))
    return false;
  return (
    payload.type === 'url_verification' && typeof payload.challenge === 'string' && payload.challenge.length < 1_000
  );
}
