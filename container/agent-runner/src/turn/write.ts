import { DRAFT, type MessageInRow, type Origin } from '@nanoclaw/protocol';
import { type NewMessage, newMessageId, type Outbound, type OutboundTx } from '../mailbox/outbound.ts';
import { chatContent } from '../output/chat-content.ts';
import { asRemark, type Outcome } from '../output/outcome.ts';
import type { Asker } from './behind.ts';
import type { Turn } from './turn.ts';

/** Beyond this, what is only shown on the way is left out, so that there is room for the answers. */
const PROGRESS_UP_TO_BYTES = 16 * 1024 * 1024;

export interface Settlement {
  origin: Origin;
  outcome: Outcome;
  /** What this answers, oldest first. */
  answers: readonly MessageInRow[];
  /** What it is about, where it answers nothing. */
  about?: string | null;
  /** Why the origin gets no answer, where it gets none. */
  reason: string;
  /** Written in the same transaction. */
  also(tx: OutboundTx): void;
}

export function writeOutcome(outbound: Outbound, outbox: string, settlement: Settlement): void {
  const { origin, outcome, reason, also } = settlement;
  const answers = settlement.answers.map((row) => row.id);
  const inReplyTo = answers.at(-1) ?? settlement.about ?? null;
  const own = [...outcome.own, ...outcome.rejected.map(asRemark)].join('\n\n');
  const messages = elsewhere(outbox, outcome, inReplyTo);
  if (own !== '') messages.unshift(chat(outbox, origin, inReplyTo, own, answers.length > 0 ? { answers } : {}));
  else if (answers.length > 0) {
    messages.push({ origin, inReplyTo, content: { kind: 'system', body: { action: 'silence', answers, reason } } });
  }
  outbound.write((tx) => {
    for (const message of messages) tx.message(message);
    tx.dropState(DRAFT);
    also(tx);
  });
}

export function silenceReason(turn: Turn, outcome: Outcome, text: string): string {
  if (turn.said) return 'answered by send_message';
  if (outcome.elsewhere.length > 0)
    return `sent to ${outcome.elsewhere.map((each) => each.name).join(', ')}`.slice(0, 500);
  return text.trim() === '' ? 'the agent said nothing' : 'the agent decided to say nothing';
}

export function writeProgress(outbound: Outbound, outbox: string, { origin, asked }: Asker, outcome: Outcome): void {
  const messages = elsewhere(outbox, outcome, asked);
  if (outcome.own.length > 0 && outbound.bytes() < PROGRESS_UP_TO_BYTES) {
    messages.push(chat(outbox, origin, asked, outcome.own.join('\n\n'), { progress: true }));
  }
  if (messages.length === 0) return;
  outbound.write((tx) => {
    for (const message of messages) tx.message(message);
    tx.dropState(DRAFT);
  });
}

/** Words of the runner's own, where the agent can't say it. */
export function remark(outbox: string, { origin, asked }: Asker, text: string): NewMessage {
  return chat(outbox, origin, asked, text, {});
}

function elsewhere(outbox: string, outcome: Outcome, inReplyTo: string | null): NewMessage[] {
  return outcome.elsewhere.map(({ address, text }) => chat(outbox, address, inReplyTo, text, {}));
}

function chat(
  outbox: string,
  origin: Origin,
  inReplyTo: string | null,
  text: string,
  rest: { progress?: boolean; answers?: string[] },
): NewMessage {
  const id = newMessageId();
  return { id, origin, inReplyTo, content: { kind: 'chat', body: chatContent(outbox, id, text, rest) } };
}
