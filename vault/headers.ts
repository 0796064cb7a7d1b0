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
