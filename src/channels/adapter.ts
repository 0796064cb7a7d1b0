/** What a channel is to the rest of the host. Adapters import this file and nothing else of the core. */

export interface InboundAttachment {
  type: string;
  name: string;
  mimeType?: string;
  size?: number;
  /** A file that the adapter made and the host takes over (moved, not copied, where it can). */
  localPath: string;
}

/** A message on a platform, as an adapter hands it over. Everything in it is untrusted. */
export interface InboundEvent {
  channelType: string;
  platformId: string;
  threadId: string | null;
  /** The platform's own id of this message; the same one twice is stored once. */
  platformMessageId: string;
  /** `<channel>:<handle>`, from what the platform authenticated, never from a display name. */
  senderId: string;
  senderName: string;
  text: string;
  /** ISO-8601 UTC. */
  timestamp: string;
  isMention: boolean;
  isGroup: boolean;
  attachments?: readonly InboundAttachment[];
  /** `id`: the platform's, of the message that this one answers. */
  replyTo?: { id?: string; sender: string; text: string };
  /** What people call the chat, where the platform says so. */
  chatName?: string;
}

/** Somebody pressed a button of a card. */
export interface ButtonPress {
  channelType: string;
  platformId: string;
  threadId: string | null;
  /** The platform's id of the message that holds the button, where it says so. */
  platformMessageId?: string;
  /** As for an InboundEvent. */
  senderId: string;
  senderName: string;
  /** What the card gave for this button. */
  data: string;
}

/** What became of an inbound event at the door. `stored` and `duplicate` are durable: the platform may be told so. */
export type Acceptance =
  | { status: 'stored'; messageIds: readonly string[] }
  | { status: 'duplicate' }
  | { status: 'answered' }
  /** Kept until somebody decides whether it may be taken; durable. */
  | { status: 'held' }
  | { status: 'dropped'; reason: string }
  /** Not taken; `sentence` may be shown to the sender. */
  | { status: 'refused'; code: string; sentence: string };

export interface OutboundFile {
  name: string;
  /** A file on the host, private to this delivery. */
  path: string;
  size: number;
}

/** A message with buttons. Its text says the same, with words to answer by, for channels that have none. */
export interface Card {
  title: string;
  body: string;
  /** `data`: at most 64 bytes of ASCII. */
  buttons: readonly { data: string; label: string }[];
}

export interface OutboundMessage {
  /** The same for every attempt at this message: the idempotency key where the platform has one. */
  id: string;
  platformId: string;
  threadId: string | null;
  text: string;
  /** True for what is said on the way to an answer. */
  progress: boolean;
  files: readonly OutboundFile[];
  inReplyTo?: string;
  /** Only where the channel has buttons. */
  card?: Card;
  /** The platform's id of an earlier message, which this one replaces, buttons and all. Only where the channel can edit. */
  edits?: string;
}

export type DeliveryResult =
  | { status: 'sent'; platformMessageId?: string }
  /** `retryable: false` is for good. `offline` waits until the adapter says that it is back, without counting tries. */
  | { status: 'failed'; retryable: boolean; offline?: boolean; error: string; retryAfterMs?: number };

/** How one inbound message ended, for a channel that can show it (a terminal that waits, a reaction). */
export type Outcome = 'reply' | 'silence' | 'notice' | 'stopped';

export interface ChannelHost {
  /** Resolves after the event is committed. Never rejects. */
  accept(event: InboundEvent): Promise<Acceptance>;
  /** Resolves, after its effect is durable, with a short answer for the one who pressed. Never rejects. */
  press(press: ButtonPress): Promise<string>;
  /** Deliveries that wait for this channel may go on. */
  available(channelType: string): void;
}

export interface ChannelCapabilities {
  threads: boolean;
  /** Longest text of one message, in UTF-16 units. */
  maxTextLength: number;
  /** Cards are shown with their buttons. */
  buttons: boolean;
  /** A message that was sent can be replaced. */
  edits: boolean;
}

export interface ChannelAdapter {
  readonly channelType: string;
  readonly capabilities: ChannelCapabilities;
  start(host: ChannelHost): Promise<void>;
  stop(): Promise<void>;
  /** Never rejects; one call at a time for a chat. */
  deliver(message: OutboundMessage): Promise<DeliveryResult>;
  typing(platformId: string, threadId: string | null, on: boolean): void;
  /** The chat with this user alone, opened when there is none; undefined when it can't be. Takes a user id's handle. */
  openDm?(handle: string): Promise<string | undefined>;
  /** After everything that answers it was handed to `deliver`. */
  settled?(platformId: string, platformMessageId: string, outcome: Outcome): void;
}
