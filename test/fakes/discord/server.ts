import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createFakeGateway, type GatewayOptions } from './gateway.ts';
import { type Call, createRest, Refused } from './rest.ts';
import { openSocket } from './sockets.ts';
import { BOT, createWorld, type FakeMessage, type Person, TOKEN } from './world.ts';

/** A Discord played by the test: its REST API and its gateway, on one port of this machine. */

export type ServerFault =
  | { kind: 'refuse'; status: number; body: object; headers?: Record<string, string> }
  /** Done, and the connection ends without an answer. */
  | { kind: 'taken' }
  | { kind: 'garbage'; status: number };

export async function startDiscordServer(options: Partial<GatewayOptions> = {}) {
  const world = createWorld();
  const gatewayOptions = { heartbeatMs: 20_000, mayRead: true, ...options };
  const gateway = createFakeGateway(world, gatewayOptions);
  const calls: Call[] = [];
  const faults: { at: RegExp; fault: ServerFault }[] = [];
  const streams = new Set<Duplex>();
  let root = '';
  const rest = createRest(world, gateway, () => root);
  const limit = { remaining: 1_000, reset_after: 60_000 };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => reply(response, 500, { message: String(error), code: 0 }));
  });
  server.on('upgrade', (request, stream: Duplex) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/' || searchParams.get('v') !== '10' || searchParams.get('encoding') !== 'json') {
      stream.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    } else gateway.enter(openSocket(request, stream));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  root = `http://127.0.0.1:${port}/api/v10`;
  gateway.state.url = `ws://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const path = pathname.replace(/^\/api\/v10/, '');
    const [, file] = /^\/attachments\/(\d+)\//.exec(path) ?? [];
    const given = await readBody(request);
    if (file !== undefined) {
      const content = world.files.get(file);
      return content ? void response.end(content) : reply(response, 404, { message: 'Not Found', code: 0 });
    }
    const call: Call = { method: request.method ?? 'GET', path, query, ...given };
    const isOpen = /^\/(interactions|webhooks)\//.test(path);
    if (!/^DiscordBot \(\S+, [\d.]+\)/.test(request.headers['user-agent'] ?? '')) {
      return reply(response, 403, { message: 'A user agent is wanted', code: 40_333 });
    }
    if (!isOpen && (discord.isRevoked || request.headers.authorization !== `Bot ${TOKEN}`)) {
      return reply(response, 401, { message: '401: Unauthorized', code: 0 });
    }
    calls.push(call);
    const at = faults.findIndex((one) => one.at.test(`${call.method} ${path}`));
    const fault = at === -1 ? undefined : faults.splice(at, 1)[0]?.fault;
    if (fault?.kind === 'refuse') return reply(response, fault.status, fault.body, fault.headers);
    if (fault?.kind === 'garbage') {
      response.statusCode = fault.status;
      return void response.end('<html>the gateway is well</html>');
    }
    try {
      const result = path === '/gateway/bot' ? whereabouts() : rest.answer(call);
      if (fault?.kind === 'taken') return void request.socket.destroy();
      reply(response, result === undefined ? 204 : 200, result);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      reply(response, error.status, { message: error.message, code: error.code });
    }
  }

  function breakAll(): void {
    for (const stream of streams) stream.destroy();
    server.closeAllConnections();
  }

  function whereabouts() {
    return { url: gateway.state.url, shards: 1, session_start_limit: { total: 1_000, max_concurrency: 1, ...limit } };
  }

  const discord = {
    url: root,
    settings: { TOKEN, API_URL: root },
    world,
    gateway,
    rest: rest.state,
    calls,
    faults,
    limit,
    options: gatewayOptions,
    keep: rest.keep,
    isRevoked: false,
    /** The token is taken back. */
    revoke() {
      discord.isRevoked = true;
      gateway.state.isRevoked = true;
      gateway.hangUp(4004);
    },
    /** Nothing is answered, and nothing can connect, until called with false. */
    async away(is: boolean) {
      if (!is) {
        server.listen(port, '127.0.0.1');
        await once(server, 'listening');
        return;
      }
      server.close();
      breakAll();
    },
    /** Somebody writes: it stands there, and whoever listens is told. */
    say(fields: Parameters<typeof world.say>[0]): FakeMessage {
      const message = world.say(fields);
      gateway.dispatch('MESSAGE_CREATE', {
        ...message,
        ...(message.guild_id !== undefined && { member: { roles: [] } }),
      });
      return message;
    },
    /** What the bot has said, as it stands. */
    said: () => world.messages.filter(({ author }) => author.id === BOT.id),
    press(message: FakeMessage, custom_id: string, person: Person) {
      const press = { id: world.snowflake(), token: `aW50ZXI.${world.snowflake()}`, at: Date.now() };
      rest.state.presses.push({ ...press, acknowledged: false, answer: undefined });
      const { channel_id, guild_id } = message;
      const who = guild_id === undefined ? { user: person } : { member: { user: person, roles: [] }, guild_id };
      const { id, token } = press;
      const data = { custom_id, component_type: 2 };
      gateway.dispatch('INTERACTION_CREATE', {
        id,
        token,
        application_id: BOT.id,
        type: 3,
        channel_id,
        message,
        data,
        ...who,
      });
      return id;
    },
    async close(): Promise<void> {
      breakAll();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    [Symbol.asyncDispose]: () => discord.close(),
  };
  return discord;
}

export type DiscordServer = Awaited<ReturnType<typeof startDiscordServer>>;

async function readBody(request: IncomingMessage): Promise<Pick<Call, 'body' | 'files'>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  if (raw.length === 0) return { body: {}, files: [] };
  if (!type.startsWith('multipart/')) return { body: JSON.parse(raw.toString()), files: [] };
  let body: Call['body'] = {};
  const files: Call['files'] = [];
  for (const [key, value] of await new Response(raw, { headers: { 'content-type': type } }).formData()) {
    if (typeof value === 'string') body = JSON.parse(value);
    else
      files[Number(/^files\[(\d)\]$/.exec(key)?.[1])] = {
        name: value.name,
        content: Buffer.from(await value.arrayBuffer()),
      };
  }
  return { body, files };
}

function reply(response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
