import { NanoError } from '../../src/errors.ts';
import { isLoopback } from './client-address.ts';

/** Where a platform reaches an account's webhook: `PUBLIC_URL` and the path. Throws NC_CHANNEL with what is missing. */
export function webhookUrl(publicUrl: string | undefined, instance: string): string {
  if (!publicUrl) {
    throw new NanoError('NC_CHANNEL', 'There is no PUBLIC_URL in .env: docs/webhooks.md says how to get one.');
  }
  const base = URL.parse(publicUrl);
  const problem = base ? problemOf(base) : 'is not a URL';
  if (!base || problem) throw new NanoError('NC_CHANNEL', `The PUBLIC_URL in .env ${problem}.`);
  return `${base.origin}${base.pathname.replace(/\/+$/, '')}/webhook/${instance}`;
}

function problemOf({ protocol, hostname, username, password, search, hash }: URL): string | undefined {
  if (username !== '' || password !== '') return 'has a name or a password in it';
  if (search !== '' || hash !== '') return 'goes on after its path';
  const isLocal = hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
  return protocol === 'https:' || (protocol === 'http:' && isLocal) ? undefined : 'does not begin with https://';
}
