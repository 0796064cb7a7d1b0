import type { Origin } from '@nanoclaw/protocol';
import type { Inbound } from '../mailbox/inbound.ts';

/** Where a tool call finds itself: asked for anew at each call, since chats and destinations change. */
export interface Situation extends Pick<Inbound, 'destinations' | 'delivered' | 'messages'> {
  /** Where text goes that names no receiver; null when there is no such place. */
  origin: Origin | null;
  /** The id of the message that the running turn answers. */
  replyTo: string | null;
  /** The running turn, by its oldest message: the same when it is tried again. Another object is another turn. */
  turn: { readonly first: string } | null;
  /** The turn was stopped by its user: nothing more is sent for it. */
  stopped: boolean;
  /** Called after something was said to the origin, so that an empty answer isn't taken for silence. */
  said(): void;
}
