import { NanoError } from '../../src/errors.ts';

export interface Settings {
  port: number;
  /** Under which the page is reached beside this machine's own: behind a tunnel or a reverse proxy. */
  origin?: string;
  /** Of a request's JSON, in ms; for tests. */
  bodyMs?: number;
}

/** Throws NC_CHANNEL. */
export function readSettings({ PORT, ORIGIN }: Readonly<Record<string, string>>): Settings {
  const port = Number(PORT || 8787);
  // 0 is any free one.
  if (!Number.isInteger(port) || (port !== 0 && port < 1024) || port > 65_535) {
    throw new NanoError('NC_CHANNEL', 'PORT is a number from 1024 to 65535.');
  }
  if (!ORIGIN) return { port };
  const url = URL.parse(ORIGIN);
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) {
    throw new NanoError('NC_CHANNEL', 'ORIGIN is an address without a path, like https://chat.example.org.');
  }
  return { port, origin: url.origin };
}
