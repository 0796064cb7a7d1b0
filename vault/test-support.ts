import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { createRelay, type EgressRecord, type Relay, type RelayOptions, type RelaySession } from './index.ts';

/** What the tests of the relay share: a far end on loopback, a relay before it, and a sandbox's way to speak to it. */

export const SECRET = 'sk-ant-api03-the-real-key-0123456789';

export interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Bench {
  relay: Relay;
  folder: string;
  socketPath: string;
  records: EgressRecord[];
  logs: string[];
  ask(ask: Ask): Promise<Answer>;
  /** Opens a connection to the session's socket, and writes to it. */
  dial(firstBytes?: string): Socket;
  /** Everything that comes back for these bytes until the other side ends. */
  raw(bytes: string): Promise<string>;
}

export interface Ask {
  method?: string;
  path: string;
  headers?: Record<string, string | string[]>;
  body?: string;
}

export async function listen(t: TestContext, server: NetServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return portOf(server);
}

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

export type Handler = (seen: Seen, reply: ServerResponse, incoming: IncomingMessage) => void;

/** A server that reads each request to its end before it answers. */
export async function startFarEnd(
  t: TestContext,
  handler: Handler,
): Promise<{ server: Server; port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (incoming, reply) => {
    const body = await text(incoming).catch(() => '');
    const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body };
    seen.push(request);
    handler(request, reply, incoming);
  });
  return { server, port: await listen(t, server), seen };
}

export async function openBench(
  t: TestContext,
  upstream: string,
  options: Partial<RelayOptions> = {},
  session: Partial<RelaySession> = {},
): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = session.socketPath ?? join(folder, 'relay.sock');
  const records: EgressRecord[] = [];
  const logs: string[] = [];
  const relay = createRelay({
    upstream: new URL(upstream),
    credential: () => ({ kind: 'api-key', secret: SECRET }),
    onEgress: (record) => records.push(record),
    log: (...line) => logs.push(JSON.stringify(line)),
    env: {},
    ...options,
  });
  t.after(async () => {
    await relay.stop();
    assert.doesNotMatch(JSON.stringify([records, logs]), new RegExp(SECRET), 'the key is in a record or a log line');
  });
  await relay.open({ sessionId: 's1', agentGroupId: 'g1', socketPath, egress: 'public', allow: [], ...session });
  const dial = (firstBytes = '') => {
    const socket = connect({ path: socketPath, allowHalfOpen: true }).on('error', () => {});
    t.after(() => socket.destroy());
    socket.write(firstBytes, 'latin1');
    return socket;
  };
  return {
    relay,
    folder,
    socketPath,
    records,
    logs,
    dial,
    ask: (what) => ask(socketPath, what),
    raw: async (bytes) => {
      const socket = dial(bytes);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.once('end', () => socket.end());
      await once(socket, 'close');
      return Buffer.concat(chunks).toString('latin1');
    },
  };
}

export async function ask(socketPath: string, { method = 'GET', path, headers = {}, body }: Ask): Promise<Answer> {
  const outgoing = request({ socketPath, method, path, headers, agent: false });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

/** Waits for a condition, at most 10 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** Reads from a socket until what came back holds `end`. */
export async function readUntil(socket: Socket, end: string): Promise<string> {
  let read = '';
  const take = (chunk: Buffer) => {
    read += chunk.toString('latin1');
  };
  socket.on('data', take).resume();
  await until(`the bytes ${JSON.stringify(end)}`, () => read.includes(end) || socket.destroyed);
  socket.removeListener('data', take);
  socket.pause();
  return read;
}
