import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { z } from 'zod';
import { type ErrorReply, error, overloaded, type Reply } from './reply.ts';
import {
  CountRequest,
  type Headers,
  type Keys,
  MessagesRequest,
  refuseKey,
  refuseToolOrder,
  refuseVersion,
} from './request.ts';
import { streamMessage, wholeMessage } from './stream.ts';

/** One answer, or how to make it from the request. */
export type Step = Reply | ((request: MessagesRequest) => Reply);

export interface RecordedRequest {
  /** When it had arrived whole, and when its connection or answer ended: milliseconds of the Unix clock. */
  at: number;
  endedAt?: number;
  method: string;
  path: string;
  headers: Headers;
  /** Present when it was a well-formed request for a message. */
  message?: MessagesRequest;
  /** The body as it came. */
  raw: string;
  /** The status it was answered with, once it was. */
  status?: number;
}

export interface MessagesApi {
  readonly url: string;
  /** Every request, of any path, in order of arrival. */
  readonly requests: RecordedRequest[];
  /** The requests that a step of the script answers. */
  readonly messages: MessagesRequest[];
  /** Appends: each request for a message takes the next step. */
  script(...steps: Step[]): void;
  /** Drops the steps that are still to be taken. */
  skip(): void;
  /** Resolves with the nth request for a message (from 1) as soon as it has come; rejects after `deadlineMs`. */
  arrived(n: number, deadlineMs?: number): Promise<MessagesRequest>;
  /** Cuts what is open. Idempotent. */
  close(): Promise<void>;
}

export interface MessagesApiOptions {
  port?: number;
  keys?: Keys;
  /** Answers when the script has ended. Default: an error that says so. */
  otherwise?: Step;
}

export const TEST_KEY = 'sk-ant-api03-scripted';
const MAX_BODY = 32 * 1024 * 1024;

/** The far end of the network in tests: the Messages API, playing a script. Loopback only. */
export async function createMessagesApi(options: MessagesApiOptions = {}): Promise<MessagesApi> {
  const keys = options.keys ?? { apiKey: TEST_KEY };
  const otherwise = options.otherwise ?? error(400, 'invalid_request_error', 'The script has ended.');
  const requests: RecordedRequest[] = [];
  const messages: MessagesRequest[] = [];
  const steps: Step[] = [];
  const waiting = new Set<() => void>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await read(request);
    const path = new URL(request.url ?? '/', 'http://api').pathname;
    const method = request.method ?? 'GET';
    const record: RecordedRequest = { at: Date.now(), method, path, headers: request.headers, raw: raw ?? '' };
    requests.push(record);
    response.once('close', () => {
      record.endedAt = Date.now();
      if (response.headersSent) record.status = response.statusCode;
    });
    if (raw === undefined) return refuse(response, error(413, 'request_too_large', 'Request exceeds the maximum size'));
    // As a relay answers whose upstream is gone.
    if (path.startsWith('/bad-gateway')) return refuse(response, error(502, 'api_error', 'Bad Gateway'));
    const counts = path === '/v1/messages/count_tokens';
    if (method !== 'POST' || (path !== '/v1/messages' && !counts))
      return refuse(response, error(404, 'not_found_error', 'Not Found'));
    const refusal = refuseKey(record.headers, keys) ?? refuseVersion(record.headers);
    if (refusal) return refuse(response, refusal);
    if (counts) {
      const parsed = parse(CountRequest, raw);
      if ('kind' in parsed) return refuse(response, parsed);
      return json(response, 200, { input_tokens: Math.ceil(raw.length / 4) });
    }
    const parsed = parse(MessagesRequest, raw);
    if ('kind' in parsed) return refuse(response, parsed);
    const disorder = refuseToolOrder(parsed.value);
    if (disorder) return refuse(response, disorder);
    record.message = parsed.value;
    messages.push(parsed.value);
    for (const wake of waiting) wake();
    const step = steps.shift() ?? otherwise;
    await play(response, typeof step === 'function' ? step(parsed.value) : step, parsed.value);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((cause: unknown) => {
      if (!response.headersSent) refuse(response, error(500, 'api_error', String(cause)));
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    messages,
    script: (...more) => void steps.push(...more),
    skip: () => {
      steps.length = 0;
    },
    arrived: (n, deadlineMs = 20_000) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = messages[n - 1];
          if (found) done(() => resolve(found));
        };
        const timer = setTimeout(
          () => done(() => reject(new Error(`request ${n} did not come; ${messages.length} did`))),
          deadlineMs,
        );
        const done = (then: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          then();
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function play(response: ServerResponse, reply: Reply, request: MessagesRequest): Promise<void> {
  if (reply.kind === 'error') return refuse(response, reply);
  if (reply.kind === 'cut') return void response.socket?.destroy();
  if (reply.kind === 'stall') return;
  if (reply.after) await reply.after.opened;
  if (request.stream) return await streamMessage(response, reply, request.model);
  // A harness asks again without a stream when one broke: the trouble is still there.
  if (reply.ending === 'error') return refuse(response, overloaded());
  if (reply.ending === 'cut') return void response.socket?.destroy();
  if (reply.ending === 'stall') return;
  return json(response, 200, await wholeMessage(reply, request.model));
}

function parse<T>(schema: z.ZodType<T>, raw: string): { value: T } | ErrorReply {
  let body: unknown;
  try {
    body = JSON.parse(raw);
  } catch {
    return error(400, 'invalid_request_error', 'The request body is not valid JSON');
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0];
  return error(400, 'invalid_request_error', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

function refuse(response: ServerResponse, reply: ErrorReply): void {
  const body = {
    type: 'error',
    error: { type: reply.type, message: reply.message },
    request_id: `req_${randomUUID()}`,
  };
  json(response, reply.status, body, reply.headers);
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Undefined when it is larger than the API takes. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes <= MAX_BODY) chunks.push(piece);
  }
  return bytes <= MAX_BODY ? Buffer.concat(chunks).toString('utf8') : undefined;
}
