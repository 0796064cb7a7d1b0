import type { IncomingMessage } from 'node:http';

export type Headers = Record<string, string | string[]>;

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]);

/**
 * The headers that go on to the next hop: none that concern this hop alone, none that `Connection` names, none for a
 * proxy. A `Content-Length` always stays, so that a `Connection: content-length` can't take a body's frame away.
 */
export function endToEnd(message: IncomingMessage, drop: ReadonlySet<string>): Headers {
  const headers: Headers = {};
  const named = new Set((message.headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    if (values === undefined || HOP_BY_HOP.has(name) || drop.has(name) || name.startsWith('proxy-')) continue;
    if (named.has(name) && name !== 'content-length') continue;
    headers[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return headers;
}

/**
 * Frames a request's body anew. Node writes the body of a GET bare when no header frames it, and the next server would
 * read it as a second request. False: there is no body to send.
 */
export function frameBody(request: IncomingMessage, headers: Headers): boolean {
  if (request.headers['transfer-encoding'] === undefined) return Number(request.headers['content-length'] ?? 0) > 0;
  delete headers['content-length'];
  headers['transfer-encoding'] = 'chunked';
  return true;
}

/** Why a request can't be passed on by any of the two proxies; undefined when it can. */
export function refuseFraming(request: IncomingMessage): string | undefined {
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'Only the transfer coding "chunked" is known.';
  if (request.headers.upgrade !== undefined) return 'An upgrade is not passed on; CONNECT opens a tunnel.';
  return undefined;
}
