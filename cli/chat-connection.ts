import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ClientFrame, ServerFrame } from '../src/channels/terminal/frames.ts';
import { NanoError } from '../src/errors.ts';
import { parseLine, readLines, sendLine } from '../src/sockets/lines.ts';
import { connectUnix } from '../src/sockets/listen.ts';

/** More than the longest answer with its escapes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const BACK_MS = 20_000;
const RETRY_MS = 100;
/** A host that is well accepts a message within some milliseconds. */
const ACCEPTED_MS = 10_000;

export type Trouble = 'away' | 'silent';

export interface ChatConnection {
  /** Sends it; and again, under the same id, after a lost connection until `forget`. */
  say(text: string, id: string): void;
  forget(id: string): void;
  close(): void;
  /** Settles only with a NanoError: NC_DISCONNECTED when the host stays away. */
  readonly lost: Promise<never>;
}

/**
 * A connection to the terminal channel that outlives a restart of the host; `onTrouble` is told of one, and of a host that
 * accepts nothing. Throws NC_NO_HOST.
 */
export async function openChat(
  socketPath: string,
  onFrame: (frame: ServerFrame) => void,
  onTrouble: (trouble: Trouble) => void,
): Promise<ChatConnection> {
  const seen = new Set<string>();
  const unsettled = new Map<string, ClientFrame>();
  const unanswered = new Set<string>();
  let silence: NodeJS.Timeout | undefined;
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
        // A host that died before it noted the delivery sends the message again.
        if (frame.data.type === 'message') {
          if (seen.has(frame.data.id)) return;
          seen.add(frame.data.id);
        }
        if ('id' in frame.data && frame.data.id !== null) unanswered.delete(frame.data.id);
        onFrame(frame.data);
      },
      overflow: () => lost.reject(new NanoError('NC_HOST_DIFFERS')),
    });
    opened.on('error', () => opened.destroy());
    opened.on('close', () => void comeBack());
    return opened;
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

  function send(frame: ClientFrame & { id: string }): void {
    unanswered.add(frame.id);
    clearTimeout(silence);
    silence = setTimeout(() => {
      if (!socket.destroyed && unanswered.size > 0) onTrouble('silent');
    }, ACCEPTED_MS);
    void sendLine(socket, frame);
  }

  return {
    say(text, id) {
      const frame: ClientFrame = { type: 'message', id, text };
      unsettled.set(id, frame);
      send(frame);
    },
    forget: (id) => void unsettled.delete(id),
    close() {
      closed = true;
      clearTimeout(silence);
      socket.destroy();
    },
    lost: lost.promise,
  };
}
