import { domainOf } from './address.ts';
import type { Headers } from './mail.ts';

/**
 * Whether our own server vouches that a mail comes from the domain in its From (RFC 8601). Anybody can write such a
 * header, so that only the topmost counts, and only under the name that our server signs with.
 */
export function isAuthentic(headers: Headers, from: string, authservId: string | undefined): boolean {
  const topmost = headers.first('authentication-results');
  if (authservId === undefined || topmost === undefined) return false;
  const [server = '', ...results] = sections(topmost);
  if (server.split(' ')[0]?.toLowerCase() !== authservId.toLowerCase()) return false;
  const read = results.map(readResult);
  if (read.some(({ method, result }) => method === 'dmarc' && result === 'fail')) return false;
  return read.some(({ method, result, domains }) => {
    if (result !== 'pass') return false;
    const properties = ALIGNED.get(method) ?? [];
    return properties.some((property) => covers(domains.get(property), domainOf(from)));
  });
}

/** What each method says of the domain that it vouches for. */
const ALIGNED: ReadonlyMap<string, readonly string[]> = new Map([
  ['dmarc', ['header.from']],
  ['dkim', ['header.d', 'header.i']],
  ['spf', ['smtp.mailfrom']],
]);

/**
 * A domain vouches for itself and what is below it. What is below never vouches for the domain above, though DMARC
 * lets it: who owns `you.github.io` would speak for `github.io`.
 */
function covers(domain: string | undefined, from: string): boolean {
  return domain?.includes('.') === true && (from === domain || from.endsWith(`.${domain}`));
}

function readResult(section: string) {
  const words = section.split(' ');
  const [method = '', result = ''] = (words[0] ?? '').toLowerCase().split('=');
  const domains = new Map<string, string>();
  for (const word of words.slice(1)) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals).toLowerCase();
    const value = word.slice(equals + 1).toLowerCase();
    // The same thing said twice is not to be relied on.
    if (equals > 0) domains.set(name, domains.has(name) ? '' : domainOf(value));
  }
  return { method: method.split('/')[0] ?? '', result, domains };
}

/** Without comments, split at semicolons, one space between words; what is quoted is kept as a word of its own. */
function sections(value: string): string[] {
  const found = [''];
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i += 1) {
    const char = value[i] as string;
    if (char === '\\') i += 1;
    else if (quoted) quoted = char !== '"';
    else if (depth === 0 && char === '"') quoted = true;
    else if (char === '(') depth += 1;
    else if (char === ')') depth = Math.max(0, depth - 1);
    else if (depth > 0) continue;
    else if (char === ';') found.push('');
    else found[found.length - 1] += char;
  }
  return found.map((section) => section.replace(/\s+/g, ' ').replace(/ ?= ?/g, '=').trim());
}
