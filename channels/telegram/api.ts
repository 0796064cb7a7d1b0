import { z } from 'zod';
import { Lost, lostBy } from '../http/lost.ts';

/** The Bot API: one call a method. https://core.telegram.org/bots/api */

/** Telegram's own answer that it won't. `code` as in HTTP. */
export class Refusal extends Error {
  readonly code: number;
  readonly retryAfterMs: number | undefined;
  /** The group has become a supergroup of this id. */
  readonly movedTo: string | undefined;

  constructor(code: number, description: string, parameters: Parameters = {}) {
    super(description);
    this.code = code;
    this.retryAfterMs = parameters.retry_after === undefined ? undefined : parameters.retry_after * 1000;
    this.movedTo = parameters.migrate_to_chat_id === undefined ? undefined : String(parameters.migrate_to_chat_id);
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export interface CallOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Sent beside the fields, read from the disk as it goes out. */
  file?: { field: string; name: string; content: Blob };
}

export interface Api {
  /** Throws a Refusal or Lost; an AbortError when `signal` says so. */
  call<T>(method: string, fields: Fields, answer: z.ZodType<T>, options?: CallOptions): Promise<T>;
  /** A file by its `file_path`. The same errors. */
  fetchFile(path: string, signal: AbortSignal): Promise<Response>;
}

type Parameters = z.infer<typeof Parameters>;
const Parameters = z.object({
  retry_after: z.number().int().nonnegative().optional(),
  migrate_to_chat_id: z.number().int().optional(),
});
const Answer = z.object({
  ok: z.boolean(),
  result: z.unknown().optional(),
  error_code: z.number().int().optional(),
  description: z.string().optional(),
  parameters: Parameters.optional(),
});

const CALL_MS = 30_000;
export function createApi(apiUrl: string, token: string): Api {
  const root = apiUrl.replace(/\/+$/, '');

  async function request(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...init, redirect: 'error' });
    } catch (error) {
      throw lostBy(error);
    }
  }

  return {
    async call(method, fields, answer, { timeoutMs = CALL_MS, signal, file } = {}) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const response = await request(`${root}/bot${token}/${method}`, {
        method: 'POST',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        ...(file ? { body: form(fields, file) } : jsonBody(fields)),
      });
      const text = await response.text().catch((error: unknown) => {
        throw lostBy(error);
      });
      return read(response.status, text, answer);
    },
    async fetchFile(path, signal) {
      const escaped = path.split('/').map(encodeURIComponent).join('/');
      const response = await request(`${root}/file/bot${token}/${escaped}`, { signal });
      if (!response.ok) throw new Refusal(response.status, `the file was answered by ${response.status}`);
      return response;
    },
  };
}

function read<T>(status: number, text: string, schema: z.ZodType<T>): T {
  const answer = Answer.safeParse(parsed(text));
  if (!answer.success) {
    if (status === 413) throw new Refusal(status, 'it is too large');
    // A gateway's page: behind it, it may have been done. One that turns it away has asked nobody.
    throw new Lost(`The answer can't be read (status ${status}).`, status >= 400 && status < 500);
  }
  const { ok, result, error_code, description, parameters } = answer.data;
  if (!ok) throw new Refusal(error_code ?? status, description ?? 'no reason given', parameters);
  const value = schema.safeParse(result);
  if (!value.success) throw new Lost('The answer is not what the Bot API promises.', false);
  return value.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonBody(fields: Fields): RequestInit {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) };
}

function form(fields: Fields, { field, name, content }: NonNullable<CallOptions['file']>): FormData {
  const body = new FormData();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) body.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  }
  body.set(field, content, name.replace(/[\r\n]+/g, ' '));
  return body;
}
