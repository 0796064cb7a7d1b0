import { isIP, isIPv6 } from 'node:net';

/**
 * Whom a request is counted for. A proxy or tunnel on this machine adds the address that it saw at the end of
 * `X-Forwarded-For`; what stands before that is the sender's own claim. From anywhere else the header counts for nothing.
 * Undefined: a program on this machine, or a proxy that doesn't say for whom.
 */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined): string | undefined {
  const own = plain(peer ?? '');
  if (!isLoopback(own)) return network(own);
  const last = plain(forwardedFor?.slice(forwardedFor.lastIndexOf(',') + 1).trim() ?? '');
  return isIP(last) === 0 || isLoopback(last) ? undefined : network(last);
}

export function isLoopback(address: string): boolean {
  return plain(address).startsWith('127.') || address === '::1';
}

/** IPv4 in the clothes of IPv6 is IPv4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** Of IPv6, the /64: everybody has all addresses in theirs. */
function network(address: string): string {
  if (!isIPv6(address) || address.includes('%')) return address;
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
