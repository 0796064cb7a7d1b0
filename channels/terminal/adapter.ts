import { MAX_ATTACHMENT_BYTES, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import type { ChannelAdapter, ChannelHost, DeliveryResult, OutboundMessage } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import { dmOf, isChatName, isName, TERMINAL_CHANNEL, TERMINAL_PLATFORM_ID } from './address.ts';
import type { Clients } from './clients.ts';
import type { CardFrame, ServerFrame, TypingFrame } from './frames.ts';
import { keepFiles } from './received.ts';

export interface TerminalInstance {
  /** `terminal`, `terminal-2`: what a frame names it by. */
  channel: string;
  threads: boolean;
}

/** One channel instance on the socket that they share. */
export interface Terminal extends ChannelAdapter {
  host(): ChannelHost | undefined;
  /** What somebody who begins to watch is shown: the cards that are open, and where the agent works. */
  now(isMeant: (chat: string) => boolean): ServerFrame[];
  /** How a message ended that was sent again: it may have passed its client by. */
  ended(chat: string, id: string): ServerFrame | undefined;
}

const KEPT = 200;

export function createTerminal(
  { channel, threads }: TerminalInstance,
  clients: Clients,
  receivedFolder: string,
  socket: { open(): Promise<void>; close(): Promise<void> },
): Terminal {
  const settled = new Map<string, ServerFrame>();
  const cards = new Map<string, CardFrame>();
  const working = new Map<string, TypingFrame>();
  let host: ChannelHost | undefined;

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    const { id, text, platformId: chat, threadId, edits } = message;
    const where = placed(channel, chat, threadId);
    if (!isChatName(chat)) {
      return { status: 'failed', retryable: false, error: `There can be no chat ${chat} on the terminal.` };
    }
    // Whoever comes is told how it ended, and no more asked.
    if (edits !== undefined && !message.card) cards.delete(edits);
    if (!clients.isWatched({ channel, chat })) return offline();
    const tell = (frame: ServerFrame, plain?: ServerFrame) => clients.tell({ channel, chat }, frame, plain);
    if (message.progress) {
      return (await tell({ type: 'progress', text, ...where })) ? { status: 'sent' } : offline();
    }
    try {
      const files = await keepFiles(receivedFolder, id, message.files);
      const plain: ServerFrame = { type: 'message', id, text, files, inReplyTo: message.inReplyTo ?? null, ...where };
      const frame = frameOf(message, plain);
      if (!(await tell(frame, plain))) return offline();
      keepCard(frame);
      return { status: 'sent', platformMessageId: edits ?? id };
    } catch (error) {
      return { status: 'failed', retryable: true, error: `The files could not be kept: ${errorText(error)}` };
    }
  }

  function keepCard(frame: ServerFrame): void {
    if (frame.type === 'card') keep(cards, frame.id, frame);
    if (frame.type !== 'edited') return;
    const card = cards.get(frame.id);
    if (card && frame.buttons) cards.set(frame.id, { ...card, text: frame.text, buttons: frame.buttons });
    else cards.delete(frame.id);
  }

  return {
    channelType: channel,
    // What shows messages here knows them by our id.
    capabilities: {
      threads,
      maxTextLength: MAX_TEXT_BYTES,
      buttons: true,
      edits: true,
      streams: false,
      idempotencyKey: true,
      // A client sends again what was not taken.
      afterDowntime: 'redelivers',
      maxFileBytes: MAX_ATTACHMENT_BYTES,
    },
    host: () => host,
    async start(channelHost) {
      host = channelHost;
      await socket.open();
    },
    async stop() {
      await socket.close();
      host = undefined;
    },
    deliver,
    typing(chat, threadId, on) {
      const key = JSON.stringify([chat, threadId]);
      if (on === working.has(key)) return;
      const frame: TypingFrame = { type: 'typing', on, ...placed(channel, chat, threadId) };
      if (on) working.set(key, frame);
      else working.delete(key);
      void clients.tell({ channel, chat }, frame);
    },
    async openDm(handle) {
      return isName(handle) ? dmOf(handle) : undefined;
    },
    settled(chat, id, outcome) {
      const frame: ServerFrame = { type: 'settled', id, outcome, ...placed(channel, chat, null) };
      keep(settled, `${chat}\n${id}`, frame);
      void clients.tell({ channel, chat }, frame);
    },
    now: (isMeant) =>
      [...cards.values(), ...working.values()].filter(({ chat = TERMINAL_PLATFORM_ID }) => isMeant(chat)),
    ended: (chat, id) => settled.get(`${chat}\n${id}`),
  };
}

function frameOf({ card, edits, text }: OutboundMessage, plain: ServerFrame & { type: 'message' }): ServerFrame {
  if (edits === undefined) return card ? { ...plain, ...card, buttons: [...card.buttons], type: 'card' } : plain;
  const { files, inReplyTo, ...where } = plain;
  return { ...where, type: 'edited', id: edits, text, ...(card && { buttons: [...card.buttons] }) };
}

/** What is the default is left out. */
function placed(channel: string, chat: string, threadId: string | null) {
  return {
    ...(channel !== TERMINAL_CHANNEL && { channel }),
    ...(chat !== TERMINAL_PLATFORM_ID && { chat }),
    ...(threadId !== null && { thread: threadId }),
  };
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT && oldest !== undefined) map.delete(oldest);
}

function offline(): DeliveryResult {
  return { status: 'failed', retryable: true, offline: true, error: 'Nobody watches that chat.' };
}
