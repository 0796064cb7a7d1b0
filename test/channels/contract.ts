import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';

/** What the contract suite needs of a channel: its adapter, and the far end in the test's hands. */

/** As the far end shows it. */
export interface Shown {
  chat: string;
  thread: string | null;
  text: string;
  /** Buttons' labels. */
  buttons?: readonly string[];
  files?: readonly { name: string; size: number }[];
}

/** What goes wrong with the next send. `taken`: the far end keeps the message, and the answer is lost. */
export type Fault =
  | { kind: 'rate-limit'; retryAfterMs: number }
  | { kind: 'server-error' }
  | { kind: 'forbidden' }
  | { kind: 'taken' };

export interface Post {
  chat: string;
  thread?: string;
  sender: string;
  senderName?: string;
  text: string;
  /** The platform's id; the far end makes one when it is left out. */
  id?: string;
  mention?: boolean;
  file?: { name: string; content: Uint8Array };
  /** The platform's id of the message that this one answers. */
  answers?: string;
}

/** What a platform can do besides; a case whose ability is left out is shown as skipped. */
interface Abilities {
  /** The platform sends the same message again. */
  repeat?(id: string): Promise<void>;
  /** The same message in another envelope: a new number, or as another kind of event. */
  again?(id: string): Promise<void>;
  /** An event that nobody can read, ahead of what comes next. */
  unreadable?(): Promise<void>;
  /** The writer changes a message, deletes it, or somebody reacts to it. */
  edit?(id: string, text: string): Promise<void>;
  remove?(id: string): Promise<void>;
  react?(id: string, emoji: string): Promise<void>;
  /** Another bot writes in this chat. */
  bot?(chat: string, text: string): Promise<void>;
  /** Somebody presses the button with this label of the newest message that has it. */
  press?(chat: string, label: string, sender: string): Promise<void>;
  /** For the next send alone. Returns false when this far end can't. */
  fail?(fault: Fault): boolean | Promise<boolean>;
  /** The next send is answered as if all were well, by something that is no answer. */
  garbage?(): void | Promise<void>;
  /** Who was called by what the adapter sent: `@everyone`, a user. */
  notified?(): readonly string[];
  /** The connection breaks; the far end is there again right away. */
  drop?(): Promise<void>;
  /** The same, and what was said on it is forgotten: it can't be taken up again. */
  forget?(): Promise<void>;
  /** Nothing can be reached until it is called with false. */
  away?(is: boolean): Promise<void>;
  /** The credentials, which worked until now, are refused. */
  revoke?(): void | Promise<void>;
  /** Another program begins to read with the same credentials; returns what ends it. */
  rival?(): Promise<() => Promise<void>>;
  /** The bot's own message comes back to it as an event. */
  echo?(chat: string, text: string): Promise<void>;
  /** The next message that is sent comes back as an event before the send is answered. */
  echoFirst?(): void;
}

export interface FarEnd extends Abilities {
  /** A private chat and, where the channel has them, a group and a thread in it. As the adapter names them. */
  chats: { dm: string; group?: string; thread?: string };
  /** The settings that let the plugin reach this far end. */
  settings: Readonly<Record<string, string>>;
  /** Settings whose credentials the far end refuses. */
  refused?: Readonly<Record<string, string>>;
  /** Called whenever the adapter has been started: the far end is in touch with it when this resolves. */
  ready?(): Promise<void>;
  /** Somebody writes. Resolves with the platform's id as the adapter will hand it over (`platformMessageId`). */
  post(post: Post): Promise<string>;
  /** Everything that the adapter sent, oldest first; an edited message as it stands now. */
  shown(): Promise<readonly Shown[]> | readonly Shown[];
  close(): Promise<void>;
}

export interface ChannelUnderTest {
  name: string;
  farEnd(): Promise<FarEnd>;
  /** As the plugin's `create`. Called again with the same context, it is the adapter after a restart. */
  create(context: ChannelContext): ChannelAdapter;
  /** Cases that this platform can't have, each with its reason: shown as skipped. */
  cannot?: Partial<Record<Case, string>>;
}

export const CASES = [
  'inbound',
  'repeat',
  'again',
  'unstored',
  'kept',
  'stored',
  'away',
  'backlog',
  'burst',
  'refused-for-now',
  'refused-for-good',
  'unreadable',
  'cursor-lost',
  'cursor-stale',
  'cursor-corrupt',
  'cursor-fails',
  'echo',
  'echo-first',
  'bot',
  'name',
  'reply',
  'mention',
  'thread',
  'edited',
  'deleted',
  'reacted',
  'outbound',
  'text-limit',
  'limit-escaped',
  'long',
  'awkward',
  'markup',
  'injection',
  'file-in',
  'file-out',
  'file-gone',
  'file-empty',
  'buttons',
  'edits',
  'rate-limit',
  'rate-limit-edit',
  'server-error',
  'forbidden',
  'unknown',
  'garbage',
  'same-id',
  'bookkeeping',
  'bad-credentials',
  'revoked',
  'rival',
  'drop',
  'reconnect',
  'forgotten',
  'gone',
  'not-held',
  'stopped',
  'stopped-twice',
  'sibling',
] as const;
export type Case = (typeof CASES)[number];
