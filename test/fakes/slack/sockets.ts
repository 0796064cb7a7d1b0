import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from '../../../channels/slack/testing/sockets.ts';

/** Socket mode: envelopes go to one of the connections, and what isn't acknowledged comes again. */

interface Envelope {
  id: string;
  type: string;
  payload: object;
  attempt: number;
}

export function socketsOn(server: Server) {
  const listener = new WebSocketServer({ noServer: true, autoPong: false });
  const tickets = new Set<string>();
  const sockets: WebSocket[] = [];
  const unacknowledged = new Map<string, Envelope>();
  const acknowledged: string[] = [];
  let greets = true;
  let answers = true;
  let count = 0;

  server.on('upgrade', (request, socket, head) => {
    const ticket = new URL(request.url ?? '', 'http://slack.invalid').searchParams.get('ticket') ?? '';
    if (!tickets.delete(ticket)) return void socket.destroy();
    listener.handleUpgrade(request, socket, head, (opened) => {
      sockets.push(opened);
      opened.on('close', () => sockets.splice(sockets.indexOf(opened), 1));
      count += 1;
      opened.on('ping', (data) => answers && opened.pong(data));
      opened.on('message', (data) => acknowledge(String(data)));
      if (greets) hello(opened);
    });
  });

  function hello(socket: WebSocket): void {
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: sockets.length,
        debug_info: { host: 'applink-1', approximate_connection_time: 18_060 },
        connection_info: { app_id: 'A111' },
      }),
    );
    for (const envelope of unacknowledged.values()) deliver({ ...envelope, attempt: envelope.attempt + 1 });
  }

  function acknowledge(text: string): void {
    const { envelope_id: id } = JSON.parse(text);
    if (!unacknowledged.delete(id)) return;
    acknowledged.push(id);
  }

  /** To the newest: the others are about to go. */
  function deliver(envelope: Envelope): void {
    const { id, type, payload, attempt } = envelope;
    const socket = sockets.at(-1);
    if (!socket) return;
    unacknowledged.set(id, envelope);
    const retry = { retry_attempt: attempt, retry_reason: attempt === 0 ? '' : 'timeout' };
    socket.send(
      JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: type !== 'events_api', ...retry }),
    );
  }

  return {
    sockets,
    unacknowledged,
    acknowledged,
    ticket(): string {
      const ticket = randomUUID();
      tickets.add(ticket);
      return ticket;
    },
    /** Returns the envelope's id. With nobody connected it is lost. */
    send(type: 'events_api' | 'interactive', payload: object, attempt = 0): string {
      const id = randomUUID();
      deliver({ id, type, payload, attempt });
      return id;
    },
    raw(text: string): void {
      sockets.at(-1)?.send(text);
    },
    disconnect(reason: string): void {
      const old = sockets.at(-1);
      old?.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-1' } }));
    },
    /** It says no hello, and answers no ping: as if it were dead, but for the line. */
    silent(is: boolean): void {
      greets = !is;
      answers = !is;
    },
    opened: () => count,
    /** They break, without a word. */
    drop(): void {
      for (const socket of [...sockets]) socket.terminate();
    },
    close(): void {
      for (const socket of listener.clients) socket.terminate();
      listener.close();
    },
  };
}
