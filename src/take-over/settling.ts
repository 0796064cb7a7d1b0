import { AckError } from '@nanoclaw/protocol';
import type { MessageOutcome, Messages, OpenMessage } from '../db/messages.ts';
import type { Session } from '../db/sessions.ts';
import type { Drafting } from '../drafting.ts';
import { decideRetry, type Failure, failureOfAck, noticeText } from '../failures.ts';
import type { OutboundSnapshot } from '../mailbox/outbound-reader.ts';
import type { Tasking } from '../tasking.ts';
import { parseJson, pick } from './content.ts';
import { type Effects, merge, noEffects } from './effects.ts';
import type { Speech } from './speech.ts';

/** How inbound messages end: by what the agent acknowledged, or by a failure. All inside a transaction. */
export interface Settling {
  applyAcks(session: Session, snapshot: OutboundSnapshot, now: number, effects: Effects): void;
  fail(session: Session, messages: readonly OpenMessage[], failure: Failure, now: number): Effects;
}

const UNREADABLE: AckError = {
  class: 'crash',
  retryable: false,
  message: 'The agent reported an unreadable error.',
  tries: 0,
};

/** `read`: the agent has acknowledged what is no message to it. */
export function createSettling(
  messages: Messages,
  { say, isTold }: Speech,
  { drafts, tasks }: { drafts?(): Pick<Drafting, 'close'>; tasks?(): Tasking },
  read: (session: Session, rowId: string) => void,
): Settling {
  function fail(session: Session, failed: readonly OpenMessage[], failure: Failure, now: number): Effects {
    const effects = noEffects();
    drafts?.().close(session, now, effects, failed);
    for (const message of failed) {
      const decision = decideRetry(failure, message.tries);
      let text = noticeText(failure, message.tries, decision);
      if (text !== undefined && message.kind === 'task' && !decision.retry) {
        text = tasks?.().failed(message, failure, text, now) ?? text;
      }
      if (text !== undefined && message.platform_id !== null && !isTold(session.id, message, text, now)) {
        effects.deliver.push(say(message, session.id, text, message.id, now));
      }
      effects.changed = true;
      const retryMs = decision.retry ? decision.afterMs : undefined;
      const { kind, message: error } = failure;
      effects.failed.push({ messageId: message.id, tries: message.tries + 1, kind, error, retryMs });
      if (decision.retry) {
        messages.retry(session.id, message.id, now + decision.afterMs);
        effects.putOff.push([message.id, now + decision.afterMs]);
      } else {
        settle(session, message.id, 'failed', 'notice', now, effects);
      }
    }
    return effects;
  }

  function settle(
    session: Session,
    id: string,
    status: 'completed' | 'failed',
    outcome: MessageOutcome,
    now: number,
    effects: Effects,
  ): void {
    const message = messages.settle(session.id, id, status, outcome, now);
    if (!message) return;
    effects.changed = true;
    effects.settled.push({
      ...pick(message),
      messageId: id,
      platformMessageId: message.platformMessageId,
      outcome,
    });
  }

  return {
    fail,
    applyAcks(session, snapshot, now, effects) {
      const failures = new Map<string, { failure: Failure; messages: OpenMessage[] }>();
      for (const ack of snapshot.acks) {
        const message = messages.openById(session.id, ack.message_id);
        if (!message) {
          read(session, ack.message_id);
          continue;
        }
        if (ack.status === 'completed') {
          const outcome = message.trigger ? (messages.notedOutcome(session.id, message.id) ?? 'silence') : 'context';
          settle(session, message.id, 'completed', outcome, now, effects);
        } else if (ack.status === 'failed') {
          const error = parseJson(ack.error ?? '', AckError) ?? UNREADABLE;
          // An acknowledgement of an earlier try says nothing about the one that is due.
          if (error !== UNREADABLE && error.tries !== message.tries) continue;
          const key = JSON.stringify([error.class, error.retryable, error.message]);
          const group = failures.get(key) ?? { failure: failureOfAck(error), messages: [] };
          group.messages.push(message);
          failures.set(key, group);
        }
      }
      for (const group of failures.values()) merge(effects, fail(session, group.messages, group.failure, now));
    },
  };
}
