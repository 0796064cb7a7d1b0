import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../../../src/log/index.ts';
import { Refusal, sendJson } from './replies.ts';

/** A web server on this machine alone. */

const MORE_PORTS = 20;

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** On `port`, or the next free one. */
export async function listen(port: number, answer: Answer, log: Logger): Promise<Server> {
  for (let next = port; ; next++) {
    const server = createServer(
      // All headers of 10 s, then the body's own time; an upload may take its half hour.
      { headersTimeout: 10_000, requestTimeout: 30 * 60_000, maxHeaderSize: 16 * 1024 },
      (request, response) =>
        void answer(request, response).catch((error: unknown) => fail(request, response, error, log)),
    );
    server.maxConnections = 256;
    const failure = await bound(server, next);
    if (!failure) return server;
    if (failure.code !== 'EADDRINUSE' || next >= port + MORE_PORTS || next >= 65_535 || port === 0) throw failure;
  }
}

function bound(server: Server, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host: '127.0.0.1', port }, () => {
      server.off('error', resolve);
      resolve(undefined);
    });
  });
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown, log: Logger): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  // What is left of a body is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader('Connection', 'close');
  if (error instanceof Refusal) return void sendJson(response, error.status, { error: error.message });
  if (request.socket.destroyed) return void response.destroy();
  log.error('web request failed', { path: request.url?.split('?')[0], error });
  sendJson(response, 500, { error: 'Something unexpected happened. The log has the details.' });
}

export async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}
