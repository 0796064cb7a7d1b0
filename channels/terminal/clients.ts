import type { Socket } from 'node:net';
import { sendLine } from '../../cli/sockets/lines.ts';
import type { Logger } from '../../src/log/index.ts';
import { TERMINAL_PLATFORM_ID } from './address.ts';
import type { ServerFrame } from './frames.ts';

/** Who is connected, and which chats each of them watches. */

export interface Client {
  socket: Socket;
  /** Keys of chats. Undefined until it has asked for one, or for nothing. */
  watched: Set<string> | undefined;
  /** It asked for no chat: it is given no frames but those that there were before chats could be asked for. */
  plain: boolean;
}

export interface Place {
  channel: string;
  chat: string;
}

export interface Clients {
  all: ReadonlySet<Client>;
  add(socket: Socket): Client;
  remove(client: Client): void;
  isWatched(place: Place): boolean;
  send(client: Client, frame: ServerFrame): Promise<boolean>;
  /** To those who watch that chat, `plain` to those who know no better. True as soon as one of them has it. */
  tell(place: Place, frame: ServerFrame, plain?: ServerFrame): Promise<boolean>;
}

/** A client that does not read is let go: it may not hold up the others' answers, nor fill the memory. */
const STALLED_MS = 5000;

/** Every chat of a channel. */
export const ALL_CHATS = '*';
export const OWN_CHAT: Place = { channel: 'terminal', chat: TERMINAL_PLATFORM_ID };

export function chatKey({ channel, chat }: Place): string {
  return `${channel}\n${chat}`;
}

function watches({ watched }: Client, place: Place): boolean {
  return watched?.has(chatKey(place)) || watched?.has(chatKey({ ...place, chat: ALL_CHATS })) || false;
}

export function createClients(log: Logger): Clients {
  const all = new Set<Client>();

  async function send({ socket }: Client, frame: ServerFrame): Promise<boolean> {
    const stalled = setTimeout(() => {
      log.warn('terminal client does not read and is let go', { waiting: socket.writableLength });
      socket.destroy();
    }, STALLED_MS);
    const sent = await sendLine(socket, frame);
    clearTimeout(stalled);
    return sent;
  }

  return {
    all,
    add(socket) {
      const client: Client = { socket, watched: undefined, plain: false };
      all.add(client);
      return client;
    },
    remove: (client) => void all.delete(client),
    isWatched: (place) => [...all].some((client) => watches(client, place)),
    send,
    tell(place, frame, plain = frame) {
      const sends = [...all].filter((client) => watches(client, place));
      const each = sends.map(async (client) => (await send(client, client.plain ? plain : frame)) || Promise.reject());
      return Promise.any(each).catch(() => false);
    },
  };
}
