/** An error with a code, so that a deadline of ours reads like one of the network's. */
export function timeoutError(what: string): Error {
  return Object.assign(new Error(`${what} timed out`), { code: what === 'resolving' ? 'ETIMEOUT' : 'ETIMEDOUT' });
}

const DNS_SILENT = 'the DNS gave no answer for its name';
const PHRASES: readonly [RegExp, string][] = [
  [/^(ENOTFOUND|ENODATA|EAI_NONAME)$/, 'its name does not exist in the DNS'],
  [/^(EAI_\w+|ETIMEOUT)$/, DNS_SILENT],
  [/^ECONNREFUSED$/, 'the connection was refused'],
  [/^ETIMEDOUT$/, 'it did not answer in time'],
  [/^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL)$/, 'there is no network route to it'],
  [/^ERR_PROXY_/, 'the outbound proxy of this machine refused the connection'],
  [/CERT|^UNABLE_TO_/, 'TLS failed: its certificate is not trusted on this machine'],
  [/^(EPROTO|ERR_SSL|ERR_TLS)/, 'TLS failed: it does not speak it as it should'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, 'the connection was cut'],
  [/^HPE_/, 'it did not answer in HTTP'],
];

/** Says what failed from the error's code alone: a message may hold a URL with a password in it. */
export function describeFailure(error: unknown): string {
  const code = textOf(error, 'code');
  const fallback = textOf(error, 'syscall').startsWith('query') ? DNS_SILENT : 'the connection failed';
  const known = PHRASES.find(([pattern]) => pattern.test(code))?.[1] ?? fallback;
  // A DNS server that refuses isn't the site that refuses.
  const phrase = fallback === DNS_SILENT && !code.startsWith('ENO') ? DNS_SILENT : known;
  return code === '' ? phrase : `${phrase} (${code})`;
}

function textOf(error: unknown, field: 'code' | 'syscall'): string {
  const value: unknown = error instanceof Error ? Reflect.get(error, field) : undefined;
  return typeof value === 'string' ? value : '';
}
