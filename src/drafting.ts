import type { Origin } from '@nanoclaw/protocol';
import type { ChannelAdapter, OutboundMessage } from './channels/adapter.ts';
import type { Delivery } from './db/deliveries.ts';
import type { Session } from './db/sessions.ts';
import type { Effects } from './take-over/effects.ts';

/** An answer that is still being written, where its beginning is said already; and how far it has come. */
export interface Grown {
  id: string;
  place: Origin;
  text: string;
}

/** What answers that are shown while they are written are to the core; `assistant/drafts/` sees to them. */
export interface Drafting {
  /** What the agent's file says of one now. Inside a transaction, as the next two. */
  show(session: Session, value: string, now: number, effects: Effects): void;
  /** The draft whose place is taken by what is said there now. */
  finish(session: Session, place: Origin): string | undefined;
  /** With `concerns`: where it answers one of these. Without: where what it answers has ended. */
  close(session: Session, now: number, effects: Effects, concerns?: readonly { id: string }[]): void;
  /** What is said first; undefined: it is let go. */
  begins(adapter: ChannelAdapter, delivery: Delivery, text: string): OutboundMessage | undefined;
}
