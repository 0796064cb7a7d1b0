import { isIP } from 'node:net';

/** Where a request wants to go, in the one spelling that is judged, resolved and connected to. */
export interface Target {
  /** A name in lower-case ASCII with no trailing dot, or an address with no brackets. */
  host: string;
  port: number;
  isAddress: boolean;
}

const AUTHORITY = /^(\[[\da-f:.]+\]|[^\s[\]:@/?#\\]+):(\d{1,5})$/i;
const NAME = /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*$/;

/**
 * Reads `host:port`. The URL parser turns each spelling of an address (127.1, 0x7f000001, full-width digits, percent
 * signs, a mapped form) into one. Undefined when it is not exactly a host and a port.
 */
export function parseAuthority(text: string): Target | undefined {
  const [, written, digits] = AUTHORITY.exec(text) ?? [];
  const port = Number(digits);
  const hostname = written === undefined ? undefined : URL.parse(`http://${written}/`)?.hostname;
  if (hostname === undefined || port < 1 || port > 65_535) return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const isAddress = isIP(host) !== 0;
  return isAddress || NAME.test(host) ? { host, port, isAddress } : undefined;
}

/** Reads the absolute form of a request line: plain HTTP only, and no user or password in it. */
export function parseProxyUrl(text: string): { target: Target; path: string; hostHeader: string } | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '') return undefined;
  const target = parseAuthority(`${url.hostname}:${url.port || '80'}`);
  return target && { target, path: url.pathname + url.search, hostHeader: url.host };
}

export interface Rule {
  host: string;
  port: number | '*';
}

/** Reads a rule of the owner: `host:port`, `host:*` or `host` alone, in any spelling that a request may have. */
export function parseRule(text: string): Rule | undefined {
  const exact = parseAuthority(text);
  if (exact !== undefined) return { host: exact.host, port: exact.port };
  const host = text.replace(/:\*$/, '');
  const any = parseAuthority(`${isIP(host) === 6 ? `[${host}]` : host}:1`);
  return any && { host: any.host, port: '*' };
}

export function isNamed(rules: readonly Rule[], target: Target): boolean {
  return rules.some((rule) => rule.host === target.host && (rule.port === '*' || rule.port === target.port));
}

/** `host:port` as a rule or a sentence shows it. */
export function showTarget({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
