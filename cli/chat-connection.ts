import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type CardFrame, type ClientFrame, ServerFrame } from '../channels/terminal/frames.ts';
import { isErrorCode, NanoError } from '../src/errors.ts';
import { parseLine, readLines, sendLine } from './sockets/lines.ts';
import { connectUnix } from './sockets/listen.ts';

/** More than the longest answer with its escapes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const BACK_MS = 20_000;
const RETRY_MS = 100;
/** A host that is well accepts a message within some milliseconds. */
const ACCEPTED_MS = 10_000;

export type Trouble = 'away' | 'silent';

/** Who speaks, and where. */
export interface Part {
  channel: string;
  user: string;
  chat: string;
  thread: string | undefined;
}

export interface ChatConnection {
  /** Sends it; and again, under the same id, after a lost connection until `forget`. */
  say(text: string, id: string, files?: readonly string[]): void;
  /** The same for a button of a card. */
  press(card: Pick<CardFrame, 'id'>, data: string, id: string): void;
  forget(id: string): void;
  close(): void;
  /** The chat is watched, and the cards that were open in it have been shown. */
  readonly ready: Promise<void>;
  /** Settles only with a NanoError: NC_DISCONNECTED when the host stays away, the host's own when the chat can't be watched. */
  readonly lost: Promise<never>;
}

/**
 * A connection to the terminal channel that outlives a restart of the host; `onTrouble` is told of one, and of a host that
 * accepts nothing. Throws NC_NO_HOST.
 */
export async function openChat(
  socketPath: string,
  { channel, user, chat, thread }: Part,
  onFrame: (frame: ServerFrame) => void,
  onTrouble: (trouble: Trouble) => void,
): Promise<ChatConnection> {
  const seen = new Set<string>();
  const unsettled = new Map<string, ClientFrame>();
  const unanswered = new Set<string>();
  const watching = randomUUID();
  let silence: NodeJS.Timeout | undefined;
  const ready = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  // Whoever is interested races with it; nobody has to be.
  lost.promise.catch(() => undefined);
  let closed = false;
  const first = await connectUnix(socketPath);
  if (!first) throw new NanoError('NC_NO_HOST');
  let socket = attach(first);

  function attach(opened: Socket): Socket {
    readLines(opened, MAX_LINE_BYTES, {
      line(text) {
        const frame = ServerFrame.safeParse(parseLine(text));
        if (!frame.success) return lost.reject(new NanoError('NC_HOST_DIFFERS'));
        const { data } = frame;
        if (data.type === 'refused' && data.id === watching) return lost.reject(refusedError(data));
        receive(data);
      },
      overflow: () => lost.reject(new NanoError('NC_HOST_DIFFERS')),
    });
    opened.on('error', () => opened.destroy());
    opened.on('close', () => void comeBack());
    expect(watching);
    // First of all: else it would be given what is said to the owner.
    void sendLine(opened, { type: 'watch', id: watching, channel, chat } satisfies ClientFrame);
    return opened;
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === 'watching') ready.resolve();
    // What is said in no thread is for all of them.
    if ('thread' in frame && thread !== undefined && frame.thread !== thread) return;
    // A host that died before it noted the delivery sends the message again; a card that is open comes with each connection.
    if (frame.type === 'message' || frame.type === 'card') {
      if (seen.has(frame.id)) return;
      seen.add(frame.id);
    }
    if ('id' in frame && frame.id !== null) unanswered.delete(frame.id);
    onFrame(frame);
  }

  async function comeBack(): Promise<void> {
    if (!closed) onTrouble('away');
    for (const deadline = Date.now() + BACK_MS; !closed && Date.now() < deadline; await wait(RETRY_MS)) {
      const opened = await connectUnix(socketPath).catch(() => undefined);
      if (!opened) continue;
      socket = attach(opened);
      for (const frame of unsettled.values()) send(frame);
      return;
    }
    if (!closed) lost.reject(new NanoError('NC_DISCONNECTED'));
  }

  function send(frame: ClientFrame): void {
    unsettled.set(frame.id, frame);
    expect(frame.id);
    void sendLine(socket, frame);
  }

  function expect(id: string): void {
    unanswered.add(id);
    clearTimeout(silence);
    silence = setTimeout(() => {
      if (!socket.destroyed && unanswered.size > 0) onTrouble('silent');
    }, ACCEPTED_MS);
  }

  const actor = { channel, user, chat, ...(thread !== undefined && { thread }) };
  return {
    say: (text, id, files = []) =>
      send({ type: 'message', id, text, ...actor, ...(files.length > 0 && { files: [...files] }) }),
    press: (card, data, id) => send({ type: 'press', id, card: card.id, data, ...actor }),
    forget: (id) => void unsettled.delete(id),
    close() {
      closed = true;
      clearTimeout(silence);
      socket.destroy();
    },
    ready: ready.promise,
    lost: lost.promise,
  };
}

/** The table's own sentence where the code is known; the host's, made for the sender, after it where it says more. */
export function refusedError({ code, sentence }: { code: string; sentence: string }): NanoError {
  if (!isErrorCode(code)) return new NanoError('NC_HOST_DIFFERS', sentence);
  const known = new NanoError(code);
  const more = sentence.replace(known.message, '').replace(known.remedy, '').trim();
  return new NanoError(code, more === '' ? undefined : more);
}
