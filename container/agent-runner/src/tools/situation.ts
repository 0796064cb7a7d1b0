import type { DestinationRow, Origin } from '@nanoclaw/protocol';

/** Where a tool call finds itself: asked for anew at each call, since chats and destinations change. */
export interface Situation {
  /** Where text goes that names no receiver; null when there is no such place. */
  origin: Origin | null;
  /** The id of the message that the running turn answers. */
  replyTo: string | null;
  destinations: readonly DestinationRow[];
  /** The turn was stopped by its user: nothing more is sent for it. */
  stopped: boolean;
  /** Called after something was said to the origin, so that an empty answer isn't taken for silence. */
  said(): void;
}
