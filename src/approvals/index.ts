import type { ButtonPress, InboundEvent } from '../channels/adapter.ts';
import type { Held, Words } from '../router.ts';
import type { Wiring } from '../routing/session-key.ts';

/** Held actions that somebody must allow: one table, one state machine, for every kind. */

export interface Approvals {
  /** A stranger wants to talk to an agent. Inside a transaction; what is returned runs after the commit. */
  holdSender(event: InboundEvent, wiring: Wiring, now: number): Held;
  /** Somebody addresses the bot in a chat where no agent listens. The same. */
  holdChat(event: InboundEvent, now: number): Held;
  /** `/approve` and `/deny`, and words that a decision waits for. */
  words: Words;
  press(press: ButtonPress): Promise<string>;
}

export function createApprovals(): Approvals {
  const dropped = (reason: string): Held => ({ acceptance: { status: 'dropped', reason }, after() {} });
  return {
    holdSender: () => dropped('unknown-sender'),
    holdChat: () => dropped('unknown-chat'),
    words: { mayBe: () => false, answer: () => undefined },
    press: async () => '',
  };
}
