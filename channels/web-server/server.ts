import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebAnswer, WebHandler } from '../../src/channels/plugin.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { createBudget, readBody } from './body.ts';
import { createBuckets } from './buckets.ts';
import { clientAddress, isLoopback } from './client-address.ts';
import { drain, say } from './reply.ts';

/** Takes platforms' webhooks, and nothing else: what isn't one of its few paths gets the same 404, whatever it is. */

// An import of node:http would load what its every export needs: 10 ms and 10 MB that nothing here uses.
const { createServer } = process.getBuiltinModule('node:http');

export interface Route {
  handler: WebHandler;
  maxBodyBytes: number;
}

export interface WebServer {
  port: number;
  /** Lets what is under way end, for a while. */
  close(): Promise<void>;
}

export const LIMITS = {
  connections: 256,
  /** Of one address; a proxy on this machine speaks for many. */
  connectionsPerAddress: 32,
  headerBytes: 8 * 1024,
  headersMs: 10_000,
  bodyMs: 10_000,
  /** Platforms give up after about as long, and try again. */
  handlerMs: 25_000,
  idleMs: 5_000,
  /** How often slow connections are looked for. */
  checkMs: 1_000,
  closeMs: 3_000,
  /** Of all bodies together. */
  bodyBytes: 32 * 1024 * 1024,
  addressRate: { perSecond: 20, burst: 200 },
  routeRate: { perSecond: 100, burst: 1_000 },
  addresses: 10_000,
};

export interface WebServerParts {
  host: string;
  port: number;
  route(instance: string): Route | undefined;
  limits?: Partial<typeof LIMITS>;
  log: Logger;
}

/** As it stands in the request line: nothing in it is decoded, so that nothing can hide. */
const PATH = /^\/webhook\/([a-z0-9][a-z0-9-]{0,31})(?:\/([A-Za-z0-9_-]{1,64}))?$/;

/** Rejects with NC_CHANNEL when it can't listen there. */
export async function openWebServer(parts: WebServerParts): Promise<WebServer> {
  const limits = { ...LIMITS, ...parts.limits };
  const { log } = parts;
  const addresses = createBuckets(limits.addressRate, limits.addresses);
  const routes = createBuckets(limits.routeRate, limits.addresses);
  const budget = createBudget(limits.bodyBytes);
  const perAddress = new Map<string, number>();
  /** What a connection is being answered with. */
  const current = new WeakMap<Socket, ServerResponse>();

  async function decide(request: IncomingMessage, goOn: () => void): Promise<WebAnswer | 'gone'> {
    const address = clientAddress(request.socket.remoteAddress, headersOf(request)['x-forwarded-for']);
    const tooMany = address === undefined ? 0 : addresses.take(address);
    if (tooMany > 0) return { status: 429, retryAfterS: tooMany };
    if (request.method === 'GET' && request.url === '/health') return { status: 200 };
    const [, instance = '', path = ''] = (request.method === 'POST' && PATH.exec(request.url ?? '')) || [];
    const route = parts.route(instance);
    if (!route) return { status: 404 };
    const busy = routes.take(instance);
    if (busy > 0) return { status: 429, retryAfterS: busy };
    if (Number(request.headers['content-length'] ?? 0) > route.maxBodyBytes) return { status: 413 };
    goOn();
    const body = await readBody(request, { maxBytes: route.maxBodyBytes, withinMs: limits.bodyMs, budget });
    if (body === 'gone' || 'status' in body) return body;
    try {
      const given = route.handler({ path, headers: headersOf(request), body: body.bytes });
      return await inTime(limits.handlerMs, given);
    } catch (error) {
      log.error('a webhook was not taken', { channel: instance, error });
      return { status: 500 };
    } finally {
      budget.give(body.bytes.length);
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse, goOn = () => {}): Promise<void> {
    const { socket } = request;
    const earlier = current.get(socket);
    if (earlier) {
      // Nobody who means well asks again before the answer: what was asked first is answered, and that is all.
      earlier.shouldKeepAlive = false;
      return;
    }
    current.set(socket, response);
    const decided = await decide(request, goOn);
    current.delete(socket);
    if (decided === 'gone') return void socket.destroy();
    if (!request.complete) drain(request);
    say(response, decided);
  }

  const handle = (request: IncomingMessage, response: ServerResponse, goOn?: () => void) =>
    void answer(request, response, goOn).catch((error: unknown) => {
      log.error('a request was not answered', { error });
      request.socket.destroy();
    });

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.headersMs + limits.bodyMs + limits.handlerMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: limits.checkMs,
  });
  server.maxConnections = limits.connections;
  server.maxRequestsPerSocket = 100;
  server.on('request', (request, response) => handle(request, response));
  server.on('checkContinue', (request, response) => handle(request, response, () => response.writeContinue()));
  // A WebSocket, a tunnel: nothing here is either.
  server.on('connect', (_request, socket) => socket.destroy());
  server.on('connection', (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    if (isLoopback(address)) return;
    const count = (perAddress.get(address) ?? 0) + 1;
    perAddress.set(address, count);
    socket.once('close', () => {
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    if (count > limits.connectionsPerAddress) socket.destroy();
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new NanoError(
          'NC_CHANNEL',
          `Webhooks can't be taken at ${parts.host}, port ${parts.port}: ${errorText(error)}. WEBHOOK_PORT and WEBHOOK_HOST in .env choose another place.`,
        ),
      ),
    );
    server.listen({ host: parts.host, port: parts.port, backlog: limits.connections }, resolve);
  });
  server.on('error', (error) => log.error('web server', { error }));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : parts.port;
  log.info('webhooks are taken', { host: parts.host, port });

  return {
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Those that are still answered become idle after that.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      const timer = setTimeout(() => server.closeAllConnections(), limits.closeMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(timer);
    },
  };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

async function inTime(ms: number, given: Promise<WebAnswer>): Promise<WebAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<WebAnswer>((resolve) => {
    timer = setTimeout(() => resolve({ status: 503 }), ms);
    timer.unref();
  });
  return Promise.race([given, late]).finally(() => clearTimeout(timer));
}
