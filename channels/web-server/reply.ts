import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebAnswer } from '../../src/channels/plugin.ts';

/** What the web server says, and how it lets go of who says too much. */

/** What a sender may go on to send after it has been answered: a connection that is reset loses the answer. */
const DRAIN_BYTES = 256 * 1024;
const DRAIN_MS = 1_000;

const WORDS: Readonly<Record<number, string>> = {
  200: 'ok',
  202: 'taken',
  404: 'There is nothing here.',
  408: 'That took too long.',
  413: 'That is too large.',
  429: 'That is too often.',
  503: 'Not now.',
};

export function say(response: ServerResponse, { status, json, retryAfterS }: WebAnswer): void {
  const text = json === undefined ? `${WORDS[status] ?? 'No.'}\n` : JSON.stringify(json);
  if (retryAfterS !== undefined) response.setHeader('retry-after', retryAfterS);
  response.writeHead(status, {
    'content-type': json === undefined ? 'text/plain; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

/** Reads on for a moment without keeping anything, so that the answer gets through. */
export function drain(request: IncomingMessage): void {
  const { socket } = request;
  let left = DRAIN_BYTES;
  const timer = setTimeout(() => socket.destroy(), DRAIN_MS);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    // No more is read, and the sender has until the end of the moment to read what it was told.
    if (left < 0) request.pause();
  });
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
  request.on('error', () => {});
  request.resume();
}
