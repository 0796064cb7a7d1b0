import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { judgeAddress } from './address.ts';
import { frameBody, sendBody } from './body.ts';
import { describeFailure, timeoutError } from './failure.ts';
import { endToEnd, type Headers } from './headers.ts';
import { HttpAgent, HttpsAgent, httpRequest, httpsRequest } from './http.ts';
import { createMask } from './mask.ts';
import { replyApiError } from './replies.ts';

/** How the host proves itself to the model API. */
export interface Credential {
  kind: 'api-key' | 'auth-token' | 'oauth-token';
  secret: string;
}

export interface ModelApiOptions {
  upstream: URL;
  credential(): Credential | undefined;
  /** Where an outbound proxy of the owner may stand: HTTPS_PROXY and its kin. */
  env: NodeJS.ProcessEnv;
  dialTimeoutMs: number;
  idleMs: number;
  /** A request that isn't allowed, or an upstream that failed. */
  failed(reason: string): void;
}

export interface ModelApi {
  /** What is passed on; all else is refused. `target` is a request line's path and query. */
  isAllowed(method: string, target: string): boolean;
  /** `used`: called when the credential is put on. */
  handle(incoming: IncomingMessage, reply: ServerResponse, used: () => void): void;
  /** Any answer counts. Never rejects. */
  probe(timeoutMs: number): Promise<{ ok: true } | { ok: false; sentence: string }>;
  stop(): void;
}

const ROUTES: readonly [method: string, path: RegExp][] = [
  ['POST', /^\/v1\/messages(\/count_tokens)?$/],
  ['GET', /^\/v1\/models(\/\w[\w.:@-]*)?$/],
  ['GET', /^\/api\/hello$/],
  ['HEAD', /^\/api\/hello$/],
];
const QUERY = /^[\x21\x22\x24-\x7e]*$/;

/** `range`: a part of an answer could hold a part of the key, which nothing would find. */
const NOT_FROM_INSIDE = new Set(
  'host authorization x-api-key cookie accept-encoding anthropic-beta range if-range'.split(' '),
);
const NOT_FROM_OUTSIDE = new Set(['set-cookie', 'set-cookie2', 'authorization', 'x-api-key']);
const OAUTH_BETA = 'oauth-2025-04-20';
/** Shorter than what home routers and load balancers forget a silent connection after. */
const KEPT_ALIVE_MS = 4 * 60_000;

export function createModelApi(options: ModelApiOptions): ModelApi {
  const { upstream } = options;
  const secure = upstream.protocol === 'https:';
  const request = secure ? httpsRequest : httpRequest;
  const { hostname, port } = urlToHttpOptions(upstream);
  const base = upstream.pathname.replace(/\/+$/, '');
  const local = upstream.hostname === 'localhost' || judgeAddress(String(hostname)) === 'loopback';
  const agentOf = (keepAlive: boolean) =>
    new (secure ? HttpsAgent : HttpAgent)({
      keepAlive,
      timeout: KEPT_ALIVE_MS,
      ...(!local && { proxyEnv: options.env }),
    });
  const pool = agentOf(true);

  function send(method: string, target: string, headers: Headers, connectMs: number, agent = pool) {
    const path = base + target;
    const outgoing = request({ hostname, port, method, path, headers, agent, maxHeaderSize: 65_536 });
    const deadline = setTimeout(() => {
      if (!isConnected(outgoing.socket)) outgoing.destroy(timeoutError('connecting'));
    }, connectMs);
    outgoing.once('close', () => clearTimeout(deadline));
    return outgoing;
  }

  return {
    isAllowed(method, target) {
      const [path = '', ...query] = target.split('?');
      return QUERY.test(query.join('?')) && ROUTES.some(([verb, pattern]) => verb === method && pattern.test(path));
    },
    handle(incoming, reply, used) {
      const credential = options.credential();
      const complaint = complain(credential);
      if (credential === undefined || complaint !== undefined) {
        return replyApiError(reply, 401, 'authentication_error', complaint ?? '');
      }
      used();
      const mask = createMask(credential.secret);
      const headers = { ...endToEnd(incoming, NOT_FROM_INSIDE), ...proof(incoming, credential) };
      const hasBody = frameBody(incoming, headers);
      const outgoing = send(incoming.method ?? '', incoming.url ?? '', headers, options.dialTimeoutMs);
      outgoing.setTimeout(options.idleMs, () => outgoing.destroy(timeoutError('answering')));
      let answered = false;
      const fail = (reason: string) => {
        if (answered || reply.destroyed) return;
        answered = true;
        options.failed(reason);
        replyApiError(reply, 502, 'api_error', `The model API at ${upstream.host} can not be reached: ${reason}.`);
      };
      outgoing.on('error', (error) => fail(describeFailure(error)));
      outgoing.on('close', () => fail('the connection was cut'));
      reply.once('close', () => outgoing.destroy());
      outgoing.on('response', (answer) => {
        const coding = answer.headers['content-encoding'] ?? 'identity';
        if (coding !== 'identity') {
          fail('it compressed its answer though it was asked not to, so the answer can not be searched for the key');
          return void answer.destroy();
        }
        answered = true;
        answer.on('error', (error) => {
          if (!reply.destroyed) options.failed(`its answer broke off: ${describeFailure(error)}`);
        });
        const back = endToEnd(answer, NOT_FROM_OUTSIDE);
        reply.writeHead(answer.statusCode ?? 502, maskAll(back, mask.text));
        reply.flushHeaders();
        pipeline(answer, mask.stream(), reply, () => {});
      });
      sendBody(incoming, outgoing, hasBody);
    },
    probe(timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<ModelApi['probe']>>>();
      const outgoing = send('HEAD', '/api/hello', {}, timeoutMs, agentOf(false));
      const deadline = setTimeout(() => outgoing.destroy(timeoutError('answering')), timeoutMs);
      outgoing.on('response', (answer) => {
        answer.resume();
        resolve({ ok: true });
      });
      const fail = (reason: string) =>
        resolve({ ok: false, sentence: `The model API at ${upstream.host} can not be reached: ${reason}.` });
      outgoing.on('error', (error) => fail(describeFailure(error)));
      outgoing.once('close', () => {
        clearTimeout(deadline);
        fail('the connection was cut');
      });
      outgoing.end();
      return promise;
    },
    stop: () => pool.destroy(),
  };
}

function isConnected(socket: Socket | null): boolean {
  if (socket === null || socket.connecting) return false;
  return !(socket instanceof TLSSocket) || socket.getFinished() !== undefined;
}

function complain(credential: Credential | undefined): string | undefined {
  if (credential === undefined) {
    return 'The host has no credential for the model API. Its owner can put one into .env and run `ncl restart`.';
  }
  if (/^[\x21-\x7e]+$/.test(credential.secret)) return undefined;
  return 'The credential for the model API holds characters that no header can carry. Its owner can correct it in .env.';
}

/** The answer is asked for uncompressed, so that it can be searched for the key. */
function proof(incoming: IncomingMessage, { kind, secret }: Credential): Headers {
  const betas = (incoming.headersDistinct['anthropic-beta'] ?? []).flatMap((line) => line.split(/\s*,\s*/));
  if (kind === 'oauth-token' && !betas.includes(OAUTH_BETA)) betas.push(OAUTH_BETA);
  return {
    'accept-encoding': 'identity',
    ...(kind === 'api-key' ? { 'x-api-key': secret } : { authorization: `Bearer ${secret}` }),
    ...(betas.length > 0 && { 'anthropic-beta': betas.filter((beta) => beta !== '').join(',') }),
  };
}

function maskAll(headers: Headers, mask: (text: string) => string): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      mask(name),
      typeof value === 'string' ? mask(value) : value.map(mask),
    ]),
  );
}
