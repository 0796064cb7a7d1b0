import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What an address that no agent may reach by default is; each completes the sentence "… is …". */
const KINDS = {
  metadata: 'a metadata service of a cloud',
  unspecified: 'the unspecified address, which means this machine',
  loopback: 'a loopback address of this machine',
  'link-local': 'a link-local address',
  private: 'a private address',
  shared: 'an address inside the network of a provider (CGNAT)',
  multicast: 'a multicast address',
  documentation: 'an address for documentation',
  benchmark: 'an address for benchmarks',
  transition: 'a tunnel into IPv4',
  reserved: 'a reserved address',
  own: 'an address of this machine',
  malformed: 'not an address',
} as const;

export type AddressKind = keyof typeof KINDS;

/** The first match counts, so the more telling ones come first. */
const RANGES: readonly [AddressKind, string][] = [
  ['metadata', '169.254.169.254/32 169.254.170.2/32 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32'],
  ['metadata', 'fd00:ec2::254/128 fd20:ce::254/128'],
  ['unspecified', '0.0.0.0/8 ::/128'],
  ['loopback', '127.0.0.0/8 ::1/128'],
  ['link-local', '169.254.0.0/16 fe80::/10'],
  ['private', '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10'],
  ['shared', '100.64.0.0/10'],
  ['multicast', '224.0.0.0/4 ff00::/8'],
  ['documentation', '192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20'],
  ['benchmark', '198.18.0.0/15 2001:2::/48'],
  ['transition', '192.88.99.0/24 2001::/32 2002::/16 64:ff9b:1::/48'],
  ['reserved', '192.0.0.0/24 240.0.0.0/4 2001::/23'],
];

const LISTS = RANGES.map(([kind, ranges]) => {
  const list = new BlockList();
  for (const range of ranges.split(' ')) {
    const [network = '', bits] = range.split('/');
    list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6');
  }
  return { kind, list };
});

/** What IPv6 has assigned to the world so far. Whatever lies outside is refused, known or not. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');

/**
 * Why an address is not a public one; undefined when it is. IPv6 that only wraps an IPv4 address (mapped, NAT64) is judged
 * by what it wraps, since that is where the packets go.
 */
export function judgeAddress(address: string, own?: BlockList): AddressKind | undefined {
  const real = unwrap(address);
  if (real === undefined) return 'malformed';
  const family = isIPv4(real) ? 'ipv4' : 'ipv6';
  for (const { kind, list } of LISTS) if (list.check(real, family)) return kind;
  if (family === 'ipv6' && !GLOBAL.check(real, 'ipv6')) return 'reserved';
  return own?.check(real, family) ? 'own' : undefined;
}

export function describeKind(kind: AddressKind): string {
  return KINDS[kind];
}

function unwrap(address: string): string | undefined {
  if (isIPv4(address)) return address;
  // A zone id picks an interface of this machine: never public, and BlockList would wave it through.
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const groups = groupsOf(address);
  const [a = 0, b = 0, , , , f = 0, g = 0, h = 0] = groups;
  const middle = groups.slice(2, 5).every((group) => group === 0);
  const mapped = a === 0 && b === 0 && middle && f === 0xffff;
  const nat64 = a === 0x64 && b === 0xff9b && middle && f === 0;
  return mapped || nat64 ? [g >> 8, g & 255, h >> 8, h & 255].join('.') : address;
}

/** The eight groups. The URL parser writes each spelling in the one canonical way, with no dotted part. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const numbers = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [numbers(head), numbers(tail ?? '')];
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}
