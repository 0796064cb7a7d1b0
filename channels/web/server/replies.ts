import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

/** Requests' bodies and answers, with the headers that all answers have. */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const ALWAYS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  'Cache-Control': 'no-store',
};

/** Deliberate: a status, and a sentence for the page. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

export function begin(response: ServerResponse): void {
  for (const [name, value] of Object.entries(ALWAYS)) response.setHeader(name, value);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(value));
}

const MAX_JSON_BYTES = 1024 * 1024;
const BODY_MS = 10_000;

/** Throws a Refusal for what is too large, too slow, or not of this shape. */
export async function readJson<T>(request: IncomingMessage, schema: z.ZodType<T>, withinMs = BODY_MS): Promise<T> {
  const type = request.headers['content-type']?.split(';')[0]?.trim();
  if (type !== 'application/json') throw new Refusal(415, 'The body has to be JSON.');
  const chunks: Buffer[] = [];
  let size = 0;
  const late = setTimeout(() => request.destroy(), withinMs);
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > MAX_JSON_BYTES) throw new Refusal(413, 'That is too long.');
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(late);
  }
  const parsed = schema.safeParse(parse(Buffer.concat(chunks).toString('utf8')));
  if (!parsed.success) throw new Refusal(400, 'The page sent what this version does not know. Load it again.');
  return parsed.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
