import { byteLength, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import type { Acceptance, InboundEvent } from '../channels/adapter.ts';
import { asDatabaseError } from '../db/connection.ts';
import { ERRORS, type ErrorCode, errorText, NanoError } from '../errors.ts';

/** What the door says of an event. Pure. */

/** The clock may not be before this: times order messages. */
export const EARLIEST_CLOCK = Date.parse('2026-01-01T00:00:00Z');

export function refusalOf(event: InboundEvent, now: number): Acceptance | undefined {
  if (now < EARLIEST_CLOCK) return refused('NC_CLOCK');
  if (byteLength(event.text) > MAX_TEXT_BYTES) return refused('NC_MESSAGE_TOO_LARGE');
  if (event.text.trim() === '' && !event.attachments?.length) return refused('NC_MESSAGE_EMPTY');
  return undefined;
}

export function refused(code: ErrorCode, detail?: string): Acceptance {
  const { sentence, remedy } = ERRORS[code];
  return { status: 'refused', code, sentence: [sentence, detail, remedy].filter(Boolean).join(' ') };
}

export function refusedBy(error: unknown): Acceptance {
  const known = asDatabaseError(error);
  return known instanceof NanoError ? refused(known.code) : refused('NC_INTERNAL', errorText(error));
}

export function isRefused(acceptance: Acceptance): acceptance is Extract<Acceptance, { status: 'refused' }> {
  return acceptance.status === 'refused';
}

/** Stored anywhere is stored. What one wiring dropped doesn't hide that another could not take it: it has to come again. */
export function summary(results: readonly Acceptance[]): Acceptance {
  const stored = results.filter((result) => result.status === 'stored');
  if (stored.length > 0) return { status: 'stored', messageIds: stored.flatMap((result) => result.messageIds) };
  const order = ['held', 'refused', 'answered', 'duplicate', 'dropped'];
  const [first] = results.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  return first ?? { status: 'dropped', reason: 'no-agent-wired' };
}
