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
}

export interface FarEnd {
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
  /** The platform sends the same message again. Left out: it never does. */
  repeat?(id: string): Promise<void>;
  /** Somebody presses the button with this label of the newest message that has it. */
  press?(chat: string, label: string, sender: string): Promise<void>;
  /** Everything that the adapter sent, oldest first; an edited message as it stands now. */
  shown(): Promise<readonly Shown[]> | readonly Shown[];
  /** For the next send alone. Returns false when this far end can't. */
  fail?(fault: Fault): boolean | Promise<boolean>;
  /** The connection breaks; the far end is there again right away. */
  drop?(): Promise<void>;
  /** The bot's own message comes back to it as an event. */
  echo?(chat: string, text: string): Promise<void>;
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
  'unstored',
  'stored',
  'away',
  'burst',
  'drop',
  'echo',
  'name',
  'thread',
  'outbound',
  'text-limit',
  'long',
  'markup',
  'file-in',
  'file-out',
  'buttons',
  'edits',
  'rate-limit',
  'server-error',
  'forbidden',
  'unknown',
  'bad-credentials',
  'stopped',
] as const;
export type Case = (typeof CASES)[number];
