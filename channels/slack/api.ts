import { z } from 'zod';
import { Lost, lostBy } from '../http/lost.ts';

/** Slack's Web API: one call a method. https://docs.slack.dev/reference/methods */

/** Slack's own answer that it won't. `code` as in its documentation: `channel_not_found`. */
export class Refusal extends Error {
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  /** The scope that is missing, where it says so. */
  readonly needed: string | undefined;

  constructor(code: string, more: { retryAfterMs?: number; needed?: string; detail?: string } = {}) {
    super(more.detail === undefined ? code : `${code} (${more.detail})`);
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
    this.needed = more.needed;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export interface CallOptions {
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export interface Api {
  /** Throws a Refusal or Lost; an AbortError when `signal` says so. */
  call<T>(method: string, fields: Fields, answer: z.ZodType<T>, options?: CallOptions): Promise<T>;
  /** Sends the bytes to where files.getUploadURLExternal said. The same errors. */
  upload(url: string, content: Blob): Promise<void>;
  /** A file of Slack's, with the token where the address is Slack's. The same errors. */
  fetchFile(url: string, signal: AbortSignal): Promise<Response>;
}

const Answer = z.looseObject({
  ok: z.boolean(),
  error: z.string().optional(),
  needed: z.string().optional(),
  response_metadata: z.looseObject({ messages: z.array(z.string()).optional() }).optional(),
});

const CALL_MS = 30_000;
const FILE_MS = 10 * 60_000;
const DEFAULT_REST_MS = 30_000;
const HOPS = 3;
export function createApi(apiUrl: string, token: string): Api {
  const root = apiUrl.replace(/\/+$/, '');
  const authorization = `Bearer ${token}`;

  async function call<T>(
    method: string,
    fields: Fields,
    answer: z.ZodType<T>,
    { timeoutMs = CALL_MS, signal }: CallOptions = {},
  ): Promise<T> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await request(`${root}/${method}`, {
      method: 'POST',
      redirect: 'error',
      headers: { authorization },
      body: form(fields),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await response.text().catch((error: unknown) => {
      throw lostBy(error);
    });
    if (response.status === 429) throw new Refusal('ratelimited', { retryAfterMs: restOf(response) });
    return read(response.status, text, answer);
  }

  return {
    call,
    async upload(url, content) {
      const response = await request(url, { method: 'POST', body: content, signal: AbortSignal.timeout(FILE_MS) });
      await response.body?.cancel();
      if (response.status === 429) throw new Refusal('ratelimited', { retryAfterMs: restOf(response) });
      if (!response.ok) throw new Lost(`The upload was answered by ${response.status}.`, true);
    },
    async fetchFile(url, signal) {
      let at = new URL(url);
      for (let hops = 0; hops <= HOPS; hops++) {
        // A redirect must not carry the token to somebody else's server.
        const headers: Record<string, string> = isSlacks(at, root) ? { authorization } : {};
        const response = await request(at.href, { signal, headers, redirect: 'manual' });
        const next = response.headers.get('location');
        if (response.status < 300 || response.status >= 400 || next === null) return checked(response);
        await response.body?.cancel();
        at = new URL(next, at);
        if (!isSlacks(at, root)) throw new Refusal('file_elsewhere');
      }
      throw new Refusal('too_many_redirects');
    },
  };
}

/** The login page instead of the file: the token may not read it. */
function checked(response: Response): Response {
  const isPage = (response.headers.get('content-type') ?? '').includes('text/html');
  const isForced = response.headers.has('content-disposition');
  if (response.ok && !(isPage && !isForced)) return response;
  throw new Refusal(response.ok ? 'file_access_denied' : `http_${response.status}`);
}

/** https alone, but for a far end that stands where the API does. */
export function isSlacks(url: URL, apiUrl: string): boolean {
  if (url.origin === new URL(apiUrl).origin) return true;
  return (
    url.protocol === 'https:' &&
    /(^|\.)(slack\.com|slack-files\.com|slack-edge\.com|slack-gov\.com)$/.test(url.hostname)
  );
}

function restOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) * 1000 : DEFAULT_REST_MS;
}

/** Not every method reads JSON; all of them read a form. */
function form(fields: Fields): URLSearchParams {
  const body = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) body.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return body;
}

function read<T>(status: number, text: string, schema: z.ZodType<T>): T {
  const answer = Answer.safeParse(parsed(text));
  if (!answer.success) {
    // A gateway's page: behind it, it may have been done. One that turns it away has asked nobody.
    throw new Lost(`The answer can't be read (status ${status}).`, status >= 400 && status < 500);
  }
  const { ok, error = 'no_reason_given', needed, response_metadata: more } = answer.data;
  if (!ok) {
    const detail = needed === undefined ? more?.messages?.[0] : `needs ${needed}`;
    throw new Refusal(error, { ...(needed && { needed }), ...(detail && { detail: detail.slice(0, 200) }) });
  }
  const value = schema.safeParse(answer.data);
  if (!value.success) throw new Lost('The answer is not what Slack promises.', false);
  return value.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw lostBy(error);
  }
}
