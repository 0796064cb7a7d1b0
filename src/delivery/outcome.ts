import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { ChannelAdapter } from '../channels/adapter.ts';
import { agentsId, type Deliveries, type Delivery } from '../db/deliveries.ts';
import { transaction } from '../db/group-commit.ts';
import type { LogFields, Logger } from '../log/index.ts';
import { dropOutbox } from '../mailbox/attachments.ts';
import { readContent } from '../take-over/content.ts';
import type { Tried } from './attempt.ts';

/** Writes down what a try came to, and says what its chat does next. */

const RETRIES = 8;
/** Of one that the platform asks to come back with, at its own time. */
const RATE_LIMITED_RETRIES = 100;
export const BACKOFF_MS = 1_000;
export const LONGEST_BACKOFF_MS = 60_000;

/** A number: the chat waits so many ms, with this one at its head; `offline`: until its channel is back. */
export type Next = 'done' | 'offline' | number;

export interface OutcomeParts {
  db: DatabaseSync;
  deliveries: Deliveries;
  adapter(channelType: string): ChannelAdapter | undefined;
  boxOf(sessionId: string): string | undefined;
  onDelivered(sessionId: string, delivery: Delivery): void;
  onUndeliverable(delivery: Delivery, error: string): string[];
  enqueue(messageIds: readonly string[]): void;
  log: Logger;
}

export type Note = (channelType: string, before: Delivery, result: Tried, ms: number) => Next;

export function createNote(parts: OutcomeParts): Note {
  const { db, deliveries, log } = parts;

  function note(channelType: string, before: Delivery, result: Tried, ms: number): Next {
    const { messageId: id, sessionId: session, inReplyTo } = before;
    // Parts of it may have been said since.
    const delivery = deliveries.get(id) ?? before;
    const attempts = Math.max(delivery.attempts, 1);
    const fields = { session, messageId: id, inReplyTo, attempt: attempts, ms };
    const now = Date.now();
    if (result.status === 'sent') {
      transaction(db, () => deliveries.sent(id, result.platformMessageId, now));
      faultPoint('delivery.noted');
      log.info('sent', { ...fields, platformMessageId: result.platformMessageId });
      finish(delivery);
      return 'done';
    }
    // Platforms' libraries put whole addresses into their errors, with the token in them.
    const error = log.redact(result.error);
    const backoff = Math.min(BACKOFF_MS * 2 ** (attempts - 1), LONGEST_BACKOFF_MS);
    const hasKey = parts.adapter(channelType)?.capabilities.idempotencyKey ?? false;
    const isTransient = result.status === 'away' || (result.status === 'failed' && result.retryable);
    // Nobody waits for it: what it becomes is said anew. Only where it may stand in the chat, and can be found again, it is.
    const mayStand = hasKey && (result.status === 'unknown' || (isTransient && delivery.unknowns > 0));
    if (readContent(id, delivery.content).draft && !mayStand) return giveUp(delivery, error, fields);
    if (result.status === 'unknown') {
      if (hasKey ? attempts < RETRIES : delivery.unknowns === 0) {
        transaction(db, () => deliveries.doubt(id, error, result.sent ?? delivery.said, now + backoff, now));
        log.warn('nobody knows whether it arrived', { ...fields, error });
        return backoff;
      }
      return giveUp(delivery, `Nobody knows whether it arrived. ${error}`, fields);
    }
    const isAway = result.status === 'away';
    if (isAway || (result.retryable && result.offline)) {
      // No try is counted: neither one that was noted before it was made, nor one that never was.
      transaction(db, () => deliveries.again(id, error, null, isAway ? 0 : 1, now));
      log.info('delivery waits', { ...fields, error, offline: true });
      return 'offline';
    }
    const most = result.retryAfterMs === undefined ? RETRIES : RATE_LIMITED_RETRIES;
    if (result.retryable && attempts < most) {
      const delay = Math.max(result.retryAfterMs === undefined ? backoff : BACKOFF_MS, result.retryAfterMs ?? 0);
      transaction(db, () => deliveries.again(id, error, now + delay, 0, now));
      log.info('delivery waits', { ...fields, error, offline: false });
      return delay;
    }
    return giveUp(delivery, error, fields);
  }

  function giveUp(delivery: Delivery, error: string, fields: LogFields): 'done' {
    const { draft, reacts } = readContent(delivery.messageId, delivery.content);
    const after = transaction(db, () => {
      // Late, these are worth nothing to anybody.
      deliveries.failed(delivery.messageId, error, Date.now(), Boolean(draft || reacts));
      return parts.onUndeliverable(delivery, error);
    });
    log[draft ? 'info' : 'warn']('delivery given up', { ...fields, error });
    parts.enqueue(after);
    finish(delivery);
    return 'done';
  }

  function finish(delivery: Delivery): void {
    if (delivery.sessionId === null) return;
    const box = parts.boxOf(delivery.sessionId);
    if (box && readContent(delivery.messageId, delivery.content).files?.length) {
      dropOutbox(box, agentsId(delivery.messageId)).catch((error: unknown) =>
        log.warn('an outbox folder stays', { messageId: delivery.messageId, error }),
      );
    }
    parts.onDelivered(delivery.sessionId, delivery);
  }

  return note;
}
