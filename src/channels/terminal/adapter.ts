import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { byteLength, cleanText, isoTime, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { ERRORS, type ErrorCode, errorText } from '../../errors.ts';
import type { Logger } from '../../log/index.ts';
import { parseLine, readLines, sendLine } from '../../sockets/lines.ts';
import { closeServer, listenUnix } from '../../sockets/listen.ts';
import type { Acceptance, ChannelAdapter, ChannelHost, DeliveryResult, OutboundMessage } from '../adapter.ts';
import { TERMINAL_CHANNEL as CHANNEL, TERMINAL_PLATFORM_ID as CHAT, TERMINAL_OWNER } from './address.ts';
import { ClientFrame, type ServerFrame } from './frames.ts';
import { keepFiles } from './received.ts';

export interface TerminalOptions {
  socketPath: string;
  log: Logger;
  /** Where files are kept; `received` beside the socket by default. */
  receivedFolder?: string;
}

const OWNER = 'owner';
const MAX_LINE_BYTES = 1024 * 1024;
/** A client that does not read is let go: it may not hold up the others' answers, nor fill the memory. */
const STALLED_MS = 5000;
const SETTLED_KEPT = 200;

/** The host's reasons, where somebody at this machine can do something about them. */
const DROPPED: Readonly<Record<string, string>> = {
  'unknown-chat': 'This install has no agent yet: run `bash nanoclaw.sh`, or make one by `ncl init-first-agent`.',
};

/** The owner's own chat, over a Unix socket that only this user may open. Every client watches the chat `local`. */
export function createTerminalAdapter(options: TerminalOptions): ChannelAdapter {
  const { socketPath, log, receivedFolder = join(dirname(socketPath), 'received') } = options;
  const clients = new Set<Socket>();
  const settled = new Map<string, ServerFrame>();
  const server = createServer(connect);
  let host: ChannelHost | undefined;
  let typing = false;

  function connect(socket: Socket): void {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    socket.on('error', (error) => log.debug('terminal client failed', { error: errorText(error) }));
    readLines(socket, MAX_LINE_BYTES, {
      line: (text) => void receive(socket, text),
      overflow: () => void send(socket, refusal(null, 'NC_MESSAGE_TOO_LARGE')),
    });
    if (typing) void send(socket, { type: 'typing', on: true });
    host?.available(CHANNEL);
  }

  async function receive(socket: Socket, line: string): Promise<void> {
    const parsed = ClientFrame.safeParse(parseLine(line));
    if (!parsed.success) return void (await send(socket, refusal(null, 'NC_USAGE', 'A line is one JSON message.')));
    const { id } = parsed.data;
    const text = cleanText(parsed.data.text);
    const problem = problemOf(parsed.data, text);
    if (problem || !host) return void (await send(socket, refusal(id, problem ?? 'NC_NO_HOST')));
    const acceptance = await host.accept({
      channelType: CHANNEL,
      platformId: CHAT,
      threadId: null,
      platformMessageId: id,
      senderId: TERMINAL_OWNER,
      senderName: OWNER,
      text,
      timestamp: isoTime(Date.now()),
      isMention: true,
      isGroup: false,
    });
    await send(socket, answerTo(id, acceptance));
    // Sent again by a client that lost its connection: how it ended may have passed it by.
    const ended = acceptance.status === 'duplicate' && settled.get(id);
    if (ended) await send(socket, ended);
  }

  async function send(socket: Socket, frame: ServerFrame): Promise<boolean> {
    const stalled = setTimeout(() => {
      log.warn('terminal client does not read and is let go', { waiting: socket.writableLength });
      socket.destroy();
    }, STALLED_MS);
    const sent = await sendLine(socket, frame);
    clearTimeout(stalled);
    return sent;
  }

  /** True as soon as one client has it. */
  function broadcast(frame: ServerFrame): Promise<boolean> {
    const sends = [...clients].map(async (socket) => (await send(socket, frame)) || Promise.reject());
    return Promise.any(sends).catch(() => false);
  }

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    if (message.platformId !== CHAT) {
      return { status: 'failed', retryable: false, error: `There is no chat ${message.platformId} on the terminal.` };
    }
    if (clients.size === 0) return offline();
    if (message.progress) {
      return (await broadcast({ type: 'progress', text: message.text })) ? { status: 'sent' } : offline();
    }
    try {
      const files = await keepFiles(receivedFolder, message.id, message.files);
      const inReplyTo = message.inReplyTo ?? null;
      const sent = await broadcast({ type: 'message', id: message.id, text: message.text, files, inReplyTo });
      return sent ? { status: 'sent', platformMessageId: message.id } : offline();
    } catch (error) {
      return { status: 'failed', retryable: true, error: `The files could not be kept: ${errorText(error)}` };
    }
  }

  return {
    channelType: CHANNEL,
    capabilities: { threads: false, maxTextLength: MAX_TEXT_BYTES, buttons: false, edits: false },
    async start(channelHost) {
      host = channelHost;
      await listenUnix(server, socketPath);
    },
    async stop() {
      void broadcast({ type: 'ended' });
      await closeServer(server, clients);
      host = undefined;
    },
    deliver,
    typing(platformId, _threadId, on) {
      if (platformId !== CHAT || on === typing) return;
      typing = on;
      void broadcast({ type: 'typing', on });
    },
    settled(platformId, platformMessageId, outcome) {
      if (platformId !== CHAT) return;
      const frame: ServerFrame = { type: 'settled', id: platformMessageId, outcome };
      settled.set(platformMessageId, frame);
      const [oldest] = settled.keys();
      if (settled.size > SETTLED_KEPT && oldest !== undefined) settled.delete(oldest);
      void broadcast(frame);
    },
  };
}

function problemOf(frame: ClientFrame, text: string): ErrorCode | undefined {
  const { chat = CHAT, user = OWNER, thread = null } = frame;
  if (chat !== CHAT || user !== OWNER || thread !== null) return 'NC_NOT_FOUND';
  if (text.trim() === '') return 'NC_MESSAGE_EMPTY';
  if (byteLength(text) > MAX_TEXT_BYTES) return 'NC_MESSAGE_TOO_LARGE';
  return undefined;
}

function answerTo(id: string, acceptance: Acceptance): ServerFrame {
  switch (acceptance.status) {
    case 'stored':
      return { type: 'accepted', id, messageIds: [...acceptance.messageIds] };
    case 'duplicate':
      return { type: 'accepted', id, messageIds: [], duplicate: true };
    case 'answered':
      return { type: 'accepted', id, messageIds: [], answered: true };
    case 'held':
      return refusal(id, 'NC_MESSAGE_DROPPED', 'It waits until somebody has decided whether it may be answered.');
    case 'dropped':
      return refusal(id, 'NC_MESSAGE_DROPPED', DROPPED[acceptance.reason] ?? `The reason is: ${acceptance.reason}.`);
    case 'refused':
      return { type: 'refused', id, code: acceptance.code, sentence: acceptance.sentence };
  }
}

function refusal(id: string | null, code: ErrorCode, detail?: string): ServerFrame {
  const { sentence, remedy } = ERRORS[code];
  return { type: 'refused', id, code, sentence: `${sentence} ${detail ?? remedy}` };
}

function offline(): DeliveryResult {
  return { status: 'failed', retryable: true, offline: true, error: 'No terminal is connected.' };
}
