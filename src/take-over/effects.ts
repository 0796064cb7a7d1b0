import type { Origin } from '@nanoclaw/protocol';
import type { NclRequest } from '../../admin/agent-door/index.ts';
import type { MessageOutcome } from '../db/messages.ts';
import type { Grown } from '../drafting.ts';

export interface Settled extends Origin {
  messageId: string;
  platformMessageId: string | null;
  outcome: MessageOutcome;
}

/** What the host has to do after the transaction stands. */
export interface Effects {
  /** Message ids to deliver, oldest first. */
  deliver: string[];
  settled: Settled[];
  /** Put off: [message id, milliseconds since the epoch]. */
  putOff: [string, number][];
  /** Tries that failed, for the log. */
  failed: { messageId: string; tries: number; kind: string; error: string; retryMs: number | undefined }[];
  /** What its `ncl` asks of the host. */
  requests: NclRequest[];
  /** Rows that the agent may not send, or that make no sense. */
  refused: number;
  /** What stands in a chat of an answer that is still being written, and has become longer. */
  draft?: Grown;
  /** True when inbound.db is to be published again. */
  changed: boolean;
}

export function noEffects(): Effects {
  return { deliver: [], settled: [], putOff: [], failed: [], requests: [], refused: 0, changed: false };
}

export function merge(into: Effects, from: Effects): void {
  into.deliver.push(...from.deliver);
  into.settled.push(...from.settled);
  into.putOff.push(...from.putOff);
  into.failed.push(...from.failed);
  into.changed ||= from.changed;
}
