import type { DeliveryResult } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';

type NotSent = Exclude<DeliveryResult, { status: 'sent' }>;

const FOR_GOOD = new Set(['VALIDATION_ERROR', 'PERMISSION_DENIED', 'NOT_FOUND']);
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What an adapter's error means: they share these codes. Anything that isn't plain may have arrived. Pure. */
export function outcomeOf(error: unknown): NotSent {
  const codes = codesOf(error);
  const text = errorText(error);
  if (codes.includes('RATE_LIMITED')) {
    const after = typeof error === 'object' && error !== null && 'retryAfter' in error ? Number(error.retryAfter) : 0;
    return { status: 'failed', retryable: true, error: text, retryAfterMs: (after || 5) * 1000 };
  }
  if (codes.some((code) => FOR_GOOD.has(code))) return { status: 'failed', retryable: false, error: text };
  if (codes.includes('AUTH_FAILED')) return { status: 'failed', retryable: true, offline: true, error: text };
  if (codes.some((code) => UNSENT.has(code))) return { status: 'failed', retryable: true, error: text };
  return { status: 'unknown', error: text };
}

function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const own = 'code' in error ? [String(error.code)] : [];
  const under = ['cause', 'originalError'].flatMap((key) => codesOf(Reflect.get(error, key)));
  return [...own, ...under];
}
