import { byteLength, cleanText, isoTime, MAX_TEXT_BYTES, truncateBytes } from '@nanoclaw/protocol';
import { parseLine } from '../../cli/sockets/lines.ts';
import type { Acceptance } from '../../src/channels/adapter.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import type { Terminal } from './adapter.ts';
import {
  isChatName,
  isGroupChat,
  isName,
  NAME_RULE,
  OWNER,
  TERMINAL_CHANNEL,
  TERMINAL_PLATFORM_ID,
} from './address.ts';
import { attachedFrom, discard } from './attached.ts';
import { ALL_CHATS, type Client, type Clients, chatKey, OWN_CHAT } from './clients.ts';
import { ClientFrame, type ServerFrame } from './frames.ts';

const MAX_QUOTE_BYTES = 4096;
/** Apart, or behind a command: `/help@bot`. */
const BOT = /(?:(?<![\p{L}\p{N}_])|^\s*\/[a-z]+)@bot(?![\p{L}\p{N}_])/iu;

/** A command that says whom it is for; an agent's name the host knows. */
const OTHERS = /^\s*\/[a-z]+@\S/i;

/** The host's reasons, where somebody at this machine can do something about them. */
const DROPPED: Readonly<Record<string, string>> = {
  'unknown-chat': 'No agent listens in that chat: mention @bot there to ask for one, or use `ncl wirings create`.',
  'for-another-bot': 'That command is for somebody who is not here.',
};

type Say = (frame: ServerFrame) => Promise<boolean>;

/** Takes what clients send to the instance that they name. */
export function createReceiver(terminals: ReadonlyMap<string, Terminal>, clients: Clients, sentFolder: string) {
  async function take(client: Client, line: string): Promise<void> {
    const say: Say = (frame) => clients.send(client, frame);
    const parsed = ClientFrame.safeParse(parseLine(line));
    if (!parsed.success) return void (await say(refusal(null, 'NC_USAGE', 'A line is one JSON message.')));
    const frame = parsed.data;
    if (frame.type !== 'watch') watchOwn(client);
    const { channel = TERMINAL_CHANNEL, chat = TERMINAL_PLATFORM_ID } = frame;
    const terminal = terminals.get(channel);
    if (!terminal)
      return void (await say(refusal(frame.id, 'NC_NOT_FOUND', `There is no channel ${cleanText(channel)}.`)));
    if (!hasNames(frame)) return void (await say(refusal(frame.id, 'NC_USAGE', NAME_RULE)));
    if (frame.type === 'watch') watch(client, terminal, chat, frame.id);
    else if (frame.type === 'press') await press(terminal, chat, frame, say);
    else await message(terminal, chat, frame, say, sentFolder);
  }

  /** What a connection watches that has asked for nothing. */
  function watchOwn(client: Client): void {
    const terminal = terminals.get(OWN_CHAT.channel);
    if (client.watched || !terminal) return;
    client.plain = true;
    watch(client, terminal, OWN_CHAT.chat);
  }

  function watch(client: Client, terminal: Terminal, chat: string, id?: string): void {
    const { channelType: channel } = terminal;
    for (const frame of terminal.now((one) => chat === ALL_CHATS || chat === one)) {
      if (!client.plain || frame.type === 'typing') void clients.send(client, frame);
    }
    client.watched = (client.watched ?? new Set()).add(chatKey({ channel, chat }));
    if (id !== undefined) void clients.send(client, { type: 'watching', id });
    terminal.host()?.available(channel);
  }

  return { take, watchOwn };
}

async function press(
  terminal: Terminal,
  chat: string,
  frame: ClientFrame & { type: 'press' },
  say: Say,
): Promise<void> {
  const host = terminal.host();
  if (!host) return void (await say(refusal(frame.id, 'NC_NO_HOST')));
  const { user = OWNER, thread = null, card, data } = frame;
  const pressed = {
    channelType: terminal.channelType,
    platformId: chat,
    threadId: thread,
    platformMessageId: card,
    senderId: `${terminal.channelType}:${user}`,
    senderName: user,
    data,
  };
  const refusals: true[] = [];
  const text = await host.press(pressed, () => void refusals.push(true));
  await say({ type: 'pressed', id: frame.id, text, ...(refusals.length > 0 && { refused: true }) });
}

async function message(
  terminal: Terminal,
  chat: string,
  frame: ClientFrame & { type: 'message' },
  say: Say,
  sentFolder: string,
): Promise<void> {
  const { id, user = OWNER, thread = null, replyTo, files = [] } = frame;
  const { channelType } = terminal;
  const host = terminal.host();
  const text = cleanText(frame.text);
  const problem = problemOf(text, files.length);
  if (problem || !host) return void (await say(refusal(id, problem ?? 'NC_NO_HOST')));
  const attachments = await attachedFrom(files, sentFolder);
  if (typeof attachments === 'string') return void (await say(refusal(id, 'NC_USAGE', attachments)));
  const isGroup = isGroupChat(chat);
  const acceptance = await host.accept({
    channelType,
    platformId: chat,
    threadId: thread,
    platformMessageId: id,
    senderId: `${channelType}:${user}`,
    senderName: user,
    text,
    timestamp: isoTime(Date.now()),
    isMention: BOT.test(text) || (!isGroup && !OTHERS.test(text)),
    isGroup,
    ...(isGroup && { chatName: chat }),
    ...(attachments.length > 0 && { attachments }),
    ...(replyTo && {
      replyTo: {
        id: replyTo.id,
        sender: cleanText(replyTo.sender ?? 'bot'),
        text: truncateBytes(cleanText(replyTo.text ?? ''), MAX_QUOTE_BYTES),
      },
    }),
  });
  await discard(attachments);
  await say(answerTo(id, acceptance));
  const ended = acceptance.status === 'duplicate' && terminal.ended(chat, id);
  if (ended) await say(ended);
}

function hasNames(frame: ClientFrame): boolean {
  const { chat = TERMINAL_PLATFORM_ID } = frame;
  if (frame.type === 'watch') return chat === ALL_CHATS || isChatName(chat);
  const { user = OWNER, thread } = frame;
  return isChatName(chat) && isName(user) && (thread == null || isName(thread));
}

function problemOf(text: string, files: number): ErrorCode | undefined {
  if (text.trim() === '' && files === 0) return 'NC_MESSAGE_EMPTY';
  return byteLength(text) > MAX_TEXT_BYTES ? 'NC_MESSAGE_TOO_LARGE' : undefined;
}

function answerTo(id: string, acceptance: Acceptance): ServerFrame {
  switch (acceptance.status) {
    case 'stored':
      return { type: 'accepted', id, messageIds: [...acceptance.messageIds] };
    case 'duplicate':
      return { type: 'accepted', id, messageIds: [], duplicate: true };
    case 'answered':
      return { type: 'accepted', id, messageIds: [...(acceptance.messageIds ?? [])], answered: true };
    case 'held':
      return { type: 'accepted', id, messageIds: [], held: true };
    case 'dropped':
      return refusal(id, 'NC_MESSAGE_DROPPED', DROPPED[acceptance.reason] ?? `The reason is: ${acceptance.reason}.`);
    case 'refused':
      return { type: 'refused', id, code: acceptance.code, sentence: acceptance.sentence };
  }
}

export function refusal(id: string | null, code: ErrorCode, detail?: string): ServerFrame {
  const { sentence, remedy } = ERRORS[code];
  return { type: 'refused', id, code, sentence: `${sentence} ${detail ?? remedy}` };
}
