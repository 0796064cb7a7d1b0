/** What a channel is to the rest of the host. Adapters import this file and nothing else of the core. */

export interface InboundAttachment {
  type: string;
  name: string;
  mimeType?: string;
  size?: number;
  /** How long it plays, of a voice note, say. */
  seconds?: number;
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
  /**
   * `<channel>:<handle>`, from what the platform authenticated, never from a display name. Where it did not,
   * `<channel>-unverified:<handle>`: nobody becomes owner under that.
   */
  senderId: string;
  senderName: string;
  text: string;
  /** ISO-8601 UTC. */
  timestamp: string;
  /** As the platform does it, also behind a command: `/help@bot`. True in a chat with the bot alone. */
  isMention: boolean;
  isGroup: boolean;
  attachments?: readonly InboundAttachment[];
  /** `id`: the platform's, of the message that this one answers. */
  replyTo?: { id?: string; sender: string; text: string };
  /** What people call the chat, where the platform says so. */
  chatName?: string;
  /** A program's event and not somebody's words: never a command nor a decision. `text` is the payload, written out. */
  webhook?: { source: string; event: string; payload: unknown };
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
  | { status: 'answered'; messageIds?: readonly string[] }
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
  /** The host's id of the message that this answers. */
  inReplyTo?: string;
  /** What the agent is called whose words these are; left out where the host itself speaks. */
  speaker?: string;
  /** The platform's id of that one, where a reader would ask which: in a group, or when somebody has written since. */
  quotes?: string;
  /** Only where the channel has buttons: shown instead of `text`, which says the same without them. */
  card?: Card;
  /** The platform's id of an earlier message, which this one replaces, buttons and all. Only where the channel can edit. */
  edits?: string;
}

export type DeliveryResult =
  | { status: 'sent'; platformMessageId?: string }
  /** `retryable: false` is for good. `offline` waits until the adapter says that it is back, without counting tries. */
  /** `account`: the platform asked for that time of the whole account, not of this chat alone. */
  | {
      status: 'failed';
      retryable: boolean;
      offline?: boolean;
      error: string;
      retryAfterMs?: number;
      account?: boolean;
    }
  /** The platform may have taken it, or a part of it; `sent`: how many characters of the text surely stand there. */
  | { status: 'unknown'; error: string; sent?: number };

/** How one inbound message ended, for a channel that can show it (a terminal that waits, a reaction). */
export type Outcome = 'reply' | 'silence' | 'notice' | 'stopped';

export interface ChannelHost {
  /** Resolves after the event is committed. Never rejects. */
  accept(event: InboundEvent): Promise<Acceptance>;
  /** Resolves, after its effect is durable, with a short answer for the one who pressed; `refused` is called where it has none. Never rejects. */
  press(press: ButtonPress, refused?: () => void): Promise<string>;
  /** Deliveries that wait for this channel may go on. */
  available(channelType: string): void;
  /** A message that was taken has changed or gone; starts no turn. Resolves when it is durable. Never rejects. */
  changed?(change: MessageChange): Promise<void>;
  /** To what an agent said or has heard; starts no turn. Resolves when it is durable. Never rejects. */
  reacted?(reaction: Reaction): Promise<void>;
  /** The bot came into a chat, left it, or learned its name. The same. */
  membership?(membership: Membership): Promise<void>;
}

interface Place {
  channelType: string;
  platformId: string;
  threadId: string | null;
}

export interface MessageChange extends Place {
  platformMessageId: string;
  /** Who changed it: anybody's but its author's is passed over. Of one that was deleted it is not asked. */
  senderId: string;
  /** null: it was deleted. */
  text: string | null;
}

export interface Reaction extends Place {
  platformMessageId: string;
  senderId: string;
  emoji: string;
  on: boolean;
}

export interface Membership extends Place {
  /** The bot is there. */
  joined: boolean;
  isGroup: boolean;
  chatName?: string;
}

/** How a channel is. `failed` is for a person to see to: a token that was revoked, a login that ran out. */
export interface ChannelHealth {
  state: 'connected' | 'connecting' | 'failed';
  /** One sentence, without secrets. */
  detail?: string;
}

/** So many messages in that time. */
export interface Rate {
  count: number;
  perMs: number;
}

export interface ChannelCapabilities {
  threads: boolean;
  /** Longest text of one message: longer ones come in several, cut before they get here. */
  maxTextLength: number;
  /** What it counts; UTF-16 units by default. */
  textUnit?: 'utf16' | 'bytes';
  /** How much may be sent: more than that waits here. Where it is one at a time, no answer is shown while it is written. */
  rate?: { chat?: Rate; account?: Rate };
  /** Cards are shown with their buttons. */
  buttons: boolean;
  /** A message that was sent can be replaced. */
  edits: boolean;
  /** False: what replaces a message is shown beside it, so that no text is to be seen growing there. */
  streams?: boolean;
  /** False: people look there now and then, and are not told that work goes on. */
  live?: boolean;
  /** The platform knows a message by our id: sent twice, it stands there once. */
  idempotencyKey?: boolean;
  /** What came while we were away: `redelivers` it by itself, `backfill` is fetched by the adapter, `lost`. */
  afterDowntime?: 'redelivers' | 'backfill' | 'lost';
  /** Of one file, in bytes; left out: no files. */
  maxFileBytes?: number;
  reactions?: boolean;
}

export interface ListedChat {
  platformId: string;
  name: string;
  isGroup: boolean;
  /** Nobody else can speak there: who lets an agent listen means them. */
  speaker?: { id: string; name: string };
}

export interface ChannelAdapter {
  readonly channelType: string;
  readonly capabilities: ChannelCapabilities;
  start(host: ChannelHost): Promise<void>;
  stop(): Promise<void>;
  /** Never rejects; one call at a time for a chat. */
  deliver(message: OutboundMessage): Promise<DeliveryResult>;
  typing(platformId: string, threadId: string | null, on: boolean): void;
  /** Left out: connected from `start` on. */
  health?(): ChannelHealth;
  /** Chats that the bot is in, where the platform tells; the newest first. */
  listChats?(): Promise<readonly ListedChat[]>;
  /** What its id alone tells of a chat that nobody has heard of yet. */
  isGroup?(platformId: string): boolean | undefined;
  /** Whether that can be the id of a chat that is in none of its lists yet. Left out: it can. */
  isChatId?(platformId: string): boolean;
  react?(
    platformId: string,
    threadId: string | null,
    platformMessageId: string,
    emoji: string,
  ): Promise<DeliveryResult>;
  /** The chat with this user alone, opened when there is none; undefined when it can't be. Takes a user id's handle. */
  openDm?(handle: string): Promise<string | undefined>;
  /** After everything that answers it was handed to `deliver`. */
  settled?(platformId: string, platformMessageId: string, outcome: Outcome): void;
}
