import type { IncomingHttpHeaders } from 'node:http';

/** Who may ask at all, before anybody looks at a cookie: pages of other origins, and names that were bent to this address. */

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** `http://127.0.0.1:8787`: all names under which the page may be asked for. */
export type Origins = ReadonlySet<string>;

export function originsOf(port: number, more?: string): Origins {
  return new Set([`http://127.0.0.1:${port}`, `http://localhost:${port}`, ...(more === undefined ? [] : [more])]);
}

/** Undefined: it may. Otherwise why not. */
export function refusalOf({ method, path, headers }: Asked, origins: Origins): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  const hosts = [...origins].map((one) => new URL(one).host);
  // DNS rebinding: the browser means another site, whose name leads here.
  if (host === undefined || !hosts.includes(host)) return 'This page is not served under that name.';
  if (origin !== undefined && (!origins.has(origin) || new URL(origin).host !== host)) return 'Another page asked.';
  const isPage = method === 'GET' && (path === '/' || path === '/login');
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isPage) return 'Another page asked.';
  if (method === 'GET' || method === 'HEAD') return undefined;
  // A browser says by itself where a request that changes something comes from.
  return origin === undefined ? 'It is not known who asks.' : undefined;
}
