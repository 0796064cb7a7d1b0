/** The Engine API's HTTP over its Unix socket: a request, a stream, a connection that becomes a pipe. */
import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { unreachable } from './symptoms.ts';

export interface Reply {
  status: number;
  /** Parsed if it is JSON; a refusal's is its message. */
  body: unknown;
}

/** All reject with NC_SANDBOX_ENGINE when nobody answers, or the answer breaks off. */
export interface Http {
  readonly socket: string;
  /** Without a time limit it waits for as long as the engine does, or until the signal says that nobody wants to know. */
  call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options?: { body?: unknown; timeoutMs?: number; signal?: AbortSignal | undefined },
  ): Promise<Reply>;
  /** An answer that goes on, or the refusal. Until the signal: Podman answers when there is something to say. */
  open(path: string, signal: AbortSignal): Promise<IncomingMessage | Reply>;
  /** Both ways, once the engine has switched over within the time, or the refusal. */
  upgrade(path: string, timeoutMs: number): Promise<Duplex | Reply>;
}

export function createHttp(socket: string): Http {
  function send(method: string, path: string, headers: Record<string, string | number> = {}): http.ClientRequest {
    // A connection for each request: one that was kept open is dead after a restart of the engine.
    return http.request({ socketPath: socket, path, method, agent: false, headers: { Host: 'engine', ...headers } });
  }

  const failed = (error: unknown) => unreachable(socket, error);

  return {
    socket,
    call(method, path, { body, timeoutMs, signal } = {}) {
      const payload = body === undefined ? '' : JSON.stringify(body);
      const headers =
        body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) };
      return new Promise((resolve, reject) => {
        const request = send(method, path, headers);
        const fail = (error: unknown) => reject(failed(error));
        if (timeoutMs !== undefined) {
          request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
        }
        endWith(request, signal);
        request.on('error', fail).on('response', (response) => void readReply(response).then(resolve, fail));
        request.end(payload);
      });
    },
    open(path, signal) {
      return new Promise((resolve, reject) => {
        const request = send('GET', path);
        endWith(request, signal);
        const fail = (error: unknown) => reject(failed(error));
        request.on('error', fail).on('response', (response) => {
          if (response.statusCode === 200) resolve(response);
          else void readReply(response).then(resolve, fail);
        });
        request.end();
      });
    },
    upgrade(path, timeoutMs) {
      return new Promise((resolve, reject) => {
        const request = send('POST', path, { Connection: 'Upgrade', Upgrade: 'tcp' });
        // Not the socket's own, which would go on to count when it has become the pipe.
        const late = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
        request.on('close', () => clearTimeout(late));
        const fail = (error: unknown) => reject(failed(error));
        request.on('error', fail).on('response', (response) => void readReply(response).then(resolve, fail));
        request.on('upgrade', (_response, pipe, head) => {
          clearTimeout(late);
          if (head.length > 0) pipe.unshift(head);
          resolve(pipe);
        });
        request.end();
      });
    },
  };
}

function endWith(request: http.ClientRequest, signal: AbortSignal | undefined): void {
  const abort = () => request.destroy(new Error('nobody waits for it any more'));
  signal?.addEventListener('abort', abort, { once: true });
  request.on('close', () => signal?.removeEventListener('abort', abort));
  if (signal?.aborted) abort();
}

/** Rejects when it breaks off. */
async function readReply(response: IncomingMessage): Promise<Reply> {
  const status = response.statusCode ?? 0;
  const said = await text(response);
  try {
    return { status, body: JSON.parse(said) };
  } catch {
    return { status, body: said };
  }
}
