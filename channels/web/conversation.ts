import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { cleanText } from '@nanoclaw/protocol';
import type {
  Acceptance,
  ChannelHost,
  DeliveryResult,
  InboundAttachment,
  OutboundMessage,
  Outcome,
} from '../../src/channels/adapter.ts';
import type { Frame, Hub } from './server/hub.ts';
import { Refusal } from './server/replies.ts';
import { type Chat, type Chats, createChats } from './store/chats.ts';
import { revision } from './store/database.ts';
import { createFiles, type Files } from './store/files.ts';
import { createMessages, type Messages, type Said, type State } from './store/messages.ts';

/** Between the pages, the host and the history: whatever is told to one of them is written down first. */

export interface Conversation {
  chats: Chats;
  messages: Messages;
  files: Files;
  /** A page sends a message; the same id again gets what became of the first. */
  say(chat: Chat, message: { id: string; text: string; files: readonly string[] }): Promise<Said>;
  /** Hands over what a crash kept from the host. */
  resume(): Promise<void>;
  press(chat: Chat, message: string, data: string): Promise<string>;
  deliver(message: OutboundMessage): Promise<DeliveryResult>;
  typing(platformId: string, on: boolean): void;
  settled(platformId: string, id: string, outcome: Outcome): void;
  /** The chat has another name, or was read. */
  changed(chat: Chat): void;
  named(chat: Chat): void;
  /** What a page has to be told that has seen everything up to `since`; undefined: too much, it begins anew. */
  missed(user: string, since: number): Frame[] | undefined;
  /** What is going on this moment. */
  now(user: string): Frame;
}

const MAX_MISSED = 500;
const OWNER = 'owner';

const REASONS: Readonly<Record<string, string>> = {
  'unknown-chat': 'No agent listens in this chat yet. Wire one to it by `bin/ncl channels wire`.',
};

export interface ConversationParts {
  /** Private, and it stays. */
  folder: string;
  channelType: string;
  hub: Hub;
  host: ChannelHost;
}

export function createConversation(
  db: DatabaseSync,
  { folder, channelType, hub, host }: ConversationParts,
): Conversation {
  const chats = createChats(db);
  const messages = createMessages(db);
  const files = createFiles(db, join(folder, 'files'));
  const handover = join(folder, 'handover');
  // What an earlier host was given and did not take is given anew.
  rmSync(handover, { recursive: true, force: true });
  mkdirSync(handover, { mode: 0o700 });
  const working = new Set<string>();
  const progress = new Map<string, string>();
  const running = new Map<string, Promise<Said>>();

  const tellSaid = (user: string, said: Said) => hub.tell(user, { event: 'message', id: said.rev, data: said });
  const changed = (chat: Chat) => hub.tell(chat.user, { event: 'chat', id: chat.rev, data: chat });

  async function say(chat: Chat, message: { id: string; text: string; files: readonly string[] }): Promise<Said> {
    const key = `${chat.id}\n${message.id}`;
    // The page tries again while the first try still runs.
    const before = running.get(key);
    if (before) return before;
    const run = sayOnce(chat, message).finally(() => running.delete(key));
    running.set(key, run);
    return run;
  }

  async function sayOnce(chat: Chat, { id, text, files: ids }: { id: string; text: string; files: readonly string[] }) {
    const earlier = messages.find(chat.id, 'me', id);
    if (earlier && earlier.state !== 'sending') return earlier;
    if (!earlier && ids.some((one) => !files.waiting(chat.user, one))) throw new Refusal(400, 'A file is not there.');
    const said =
      earlier ?? add({ chat: chat.id, author: 'me', id, text: cleanText(text), files: ids, state: 'sending' });
    if (!said) throw new Error('A message is there and is not.');
    const attachments = lend(said);
    const acceptance = await host.accept({
      channelType,
      platformId: chat.id,
      threadId: null,
      platformMessageId: id,
      senderId: `${channelType}:${chat.user}`,
      senderName: chat.user,
      text: said.text,
      timestamp: said.at,
      isMention: true,
      isGroup: false,
      chatName: chat.name,
      ...(attachments.length > 0 && { attachments }),
    });
    const [state, note] = stateOf(acceptance);
    const settled = messages.settle(said.seq, state, state === 'held' ? waitsFor(chat) : note);
    tellSaid(chat.user, settled);
    return settled;
  }

  /** The owner decides it, and is told where the question is as soon as it is there. */
  function waitsFor({ id, user }: Chat): string {
    const place = user === OWNER ? messages.question(user) : undefined;
    if (place === id) return 'It waits for your answer to the question here.';
    const asked = place === undefined ? undefined : chats.get(place);
    if (!asked) return 'It waits until the owner has decided.';
    return `It waits for you: the question is in your chat “${asked.name}”.`;
  }

  /** `closed`: the question that was there has its answer. */
  function showWhere(user: string, closed?: Chat): void {
    const isOver = closed && user === OWNER && messages.question(user) === undefined;
    for (const said of messages.held(user)) {
      const chat = chats.get(said.chat);
      const note = isOver ? `The question was answered in your chat “${closed.name}”.` : chat && waitsFor(chat);
      if (note !== undefined && note !== said.note) tellSaid(user, messages.settle(said.seq, 'held', note));
    }
  }

  /** New in the history, and in all pages. */
  function add(message: Parameters<Messages['add']>[0]): Said | undefined {
    const added = messages.add(message, Date.now());
    const user = chats.get(message.chat)?.user;
    if (!added || user === undefined) return undefined;
    files.drop(added.forgotten);
    tellSaid(user, added.said);
    return added.said;
  }

  /** The host takes over what it is given, and removes it; the page's own copy stays. */
  function lend({ files: kept }: Said): InboundAttachment[] {
    return kept.map(({ id, name, type, size, image }) => {
      const localPath = join(handover, randomUUID());
      linkSync(files.path(id), localPath);
      return { type: image ? 'image' : 'file', name, mimeType: type, size, localPath };
    });
  }

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    const chat = chats.get(message.platformId);
    if (!chat) return { status: 'failed', retryable: false, error: `The page has no chat ${message.platformId}.` };
    const { id, text, card, edits, speaker } = message;
    if (message.progress) {
      progress.set(chat.id, text);
      hub.tell(chat.user, { event: 'progress', data: { chat: chat.id, text } });
      return { status: 'sent' };
    }
    if (edits === undefined && messages.find(chat.id, 'agent', id)) return { status: 'sent', platformMessageId: id };
    const kept: string[] = [];
    try {
      for (const file of message.files) {
        kept.push((await files.keep(chat.user, file.name, file.path, file.size, Date.now())).id);
      }
      const what = { text, files: kept, ...(card && { card }) };
      if (edits !== undefined) {
        const isClosed = !card && messages.find(chat.id, 'agent', edits)?.card !== undefined;
        const said = messages.edit(chat.id, edits, what);
        if (!said) {
          files.drop(kept);
          return { status: 'failed', retryable: false, error: 'The message that it replaces is not there any more.' };
        }
        tellSaid(chat.user, said);
        if (isClosed) showWhere(chat.user, chat);
        return { status: 'sent', platformMessageId: edits };
      }
      progress.delete(chat.id);
      add({ chat: chat.id, author: 'agent', id, ...what, ...(speaker && { speaker }), state: 'stored' });
      if (card) showWhere(chat.user);
      return { status: 'sent', platformMessageId: id };
    } catch (error) {
      files.drop(kept);
      const reason = error instanceof Error ? error.message : String(error);
      return { status: 'failed', retryable: true, error: `It could not be kept: ${reason}` };
    }
  }

  return {
    chats,
    messages,
    files,
    say,
    async resume() {
      for (const { chat: chatId, id, text } of messages.unsettled()) {
        const chat = chats.get(chatId);
        if (chat) await say(chat, { id, text, files: [] });
      }
    },
    async press(chat, message, data) {
      const said = messages.find(chat.id, 'agent', message);
      if (!said?.card?.buttons.some((button) => button.data === data)) {
        throw new Refusal(409, 'That button is not there any more.');
      }
      return host.press({
        channelType,
        platformId: chat.id,
        threadId: null,
        platformMessageId: message,
        senderId: `${channelType}:${chat.user}`,
        senderName: chat.user,
        data,
      });
    },
    deliver,
    typing(platformId, on) {
      const chat = chats.get(platformId);
      if (!chat || working.has(platformId) === on) return;
      if (on) working.add(platformId);
      else working.delete(platformId);
      hub.tell(chat.user, { event: 'typing', data: { chat: platformId, on } });
    },
    settled(platformId, id, outcome) {
      progress.delete(platformId);
      const user = chats.get(platformId)?.user;
      const said = messages.end(platformId, id, outcome);
      if (said && user !== undefined) tellSaid(user, said);
    },
    changed,
    named(chat) {
      changed(chat);
      void host.membership?.({
        channelType,
        platformId: chat.id,
        threadId: null,
        joined: true,
        isGroup: false,
        chatName: chat.name,
      });
    },
    missed(user, since) {
      if (since > revision(db)) return undefined;
      const said = messages.changedSince(user, since, MAX_MISSED + 1);
      if (said.length > MAX_MISSED) return undefined;
      const frames: (Frame & { id: number })[] = [
        ...chats.changedSince(user, since).map((chat) => ({ event: 'chat', id: chat.rev, data: chat })),
        ...said.map((one) => ({ event: 'message', id: one.rev, data: one })),
      ];
      return frames.sort((one, other) => one.id - other.id);
    },
    now(user) {
      const own = new Set(chats.list(user).map(({ id }) => id));
      const data = {
        typing: [...working].filter((chat) => own.has(chat)),
        progress: Object.fromEntries([...progress].filter(([chat]) => own.has(chat))),
      };
      return { event: 'now', data };
    },
  };
}

function stateOf(acceptance: Acceptance): [State, string?] {
  switch (acceptance.status) {
    case 'stored':
    case 'duplicate':
      return ['stored'];
    case 'answered':
      return ['answered'];
    case 'held':
      return ['held'];
    case 'dropped':
      return ['dropped', REASONS[acceptance.reason] ?? `It was not taken: ${acceptance.reason}.`];
    case 'refused':
      return ['refused', acceptance.sentence];
  }
}
