import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Lost, lostBy } from '../../http/lost.ts';
import { createLimits, routeOf } from './limits.ts';

/** Discord's REST API, version 10. https://docs.discord.com/developers/reference */

/** Discord's own answer that it won't. `status` as in HTTP, `code` from Discord's own list; 0 where it gives none. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly retryAfterMs: number | undefined;
  /** The time is asked of the whole account. */
  readonly isGlobal: boolean;

  constructor(status: number, code: number, message: string, retryAfterMs?: number, isGlobal = false) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.isGlobal = isGlobal;
  }
}

export interface UploadedFile {
  name: string;
  /** Read from the disk as it goes out. */
  content: Blob;
}

export interface CallOptions {
  body?: Readonly<Record<string, unknown>>;
  files?: readonly UploadedFile[];
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface Api {
  /** `path` begins with a slash. Throws a Refusal or Lost; an AbortError when `signal` says so. */
  call<T>(method: string, path: string, answer: z.ZodType<T>, options?: CallOptions): Promise<T>;
  /** A file that a message holds, from Discord's own servers alone. The same errors. */
  download(url: string, signal: AbortSignal): Promise<Response>;
}

const Problem = z.object({
  code: z.number().int().optional(),
  message: z.string().optional(),
  retry_after: z.number().nonnegative().optional(),
  global: z.boolean().optional(),
});

const AGENT = 'DiscordBot (https://localhost/nanoclaw, 0.1.0)';
const CALL_MS = 30_000;
/** A longer wait is the host's to keep: it may have something else to do. */
const PATIENCE_MS = 6_000;
const DEFAULT_REST_MS = 5_000;
const FILE_HOSTS = new Set(['cdn.discordapp.com', 'media.discordapp.net']);
export function createApi(apiUrl: string, token: string): Api {
  const root = apiUrl.replace(/\/+$/, '');
  const limits = createLimits();

  async function request(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...init, redirect: 'error' });
    } catch (error) {
      throw lostBy(error);
    }
  }

  async function waitFor(route: string, signal: AbortSignal | undefined): Promise<void> {
    const wait = Math.ceil(limits.wait(route));
    if (wait > PATIENCE_MS) throw new Refusal(429, 0, 'it wants to be asked later', wait);
    if (wait > 0) await sleep(wait, undefined, signal && { signal });
  }

  return {
    async call(method, path, answer, { body, files = [], timeoutMs = CALL_MS, signal } = {}) {
      const route = routeOf(method, path);
      await waitFor(route, signal);
      const timeout = AbortSignal.timeout(timeoutMs);
      const given = contentOf(body, files);
      const response = await request(root + path, {
        method,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        ...given,
        headers: { authorization: `Bot ${token}`, 'user-agent': AGENT, ...given.headers },
      });
      const text = await response.text().catch((error: unknown) => {
        throw lostBy(error);
      });
      limits.note(route, response.headers);
      if (response.ok) return read(text, answer);
      const problem = problemOf(response, text);
      if (problem instanceof Refusal && problem.retryAfterMs !== undefined) {
        limits.rest(route, problem.retryAfterMs, problem.isGlobal);
      }
      throw problem;
    },
    async download(url, signal) {
      const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' };
      const isDiscords = protocol === 'https:' && FILE_HOSTS.has(host);
      if (!isDiscords && host !== new URL(root).host) throw new Refusal(400, 0, 'the file is somewhere else');
      const response = await request(url, { signal });
      if (!response.ok) throw new Refusal(response.status, 0, `the file was answered by ${response.status}`);
      return response;
    },
  };
}

function read<T>(text: string, schema: z.ZodType<T>): T {
  const value = schema.safeParse(text === '' ? undefined : parsed(text));
  if (!value.success) throw new Lost("The answer is not what Discord's API promises.", false);
  return value.data;
}

function problemOf({ status, headers }: Response, text: string): Refusal | Lost {
  const { data: problem } = Problem.safeParse(parsed(text));
  if (status === 429) {
    const seconds = problem?.retry_after ?? Number(headers.get('retry-after') ?? Number.NaN);
    const restMs = Number.isFinite(seconds) ? Math.ceil(seconds * 1000) : DEFAULT_REST_MS;
    // Without a body of Discord's own it is the door before it, which turns the whole account away.
    const isGlobal = problem?.global ?? headers.get('x-ratelimit-scope') === null;
    return new Refusal(429, 0, problem?.message ?? 'too many calls', restMs, isGlobal);
  }
  // Behind a gateway's page it may have been done; one that turns it away has asked nobody.
  if (!problem) return new Lost(`The answer can't be read (status ${status}).`, status < 500);
  return new Refusal(status, problem.code ?? 0, problem.message ?? 'no reason given');
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function contentOf(body: CallOptions['body'], files: readonly UploadedFile[]) {
  if (!body) return { headers: {} };
  if (files.length === 0) return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const form = new FormData();
  const attachments = files.map(({ name }, id) => ({ id, filename: name }));
  form.set('payload_json', JSON.stringify({ ...body, attachments }));
  for (const [index, { name, content }] of files.entries()) form.set(`files[${index}]`, content, name);
  return { headers: {}, body: form };
}
