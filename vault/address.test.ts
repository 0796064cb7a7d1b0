import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AddressKind, describeKind, judgeAddress } from './address.ts';

const TABLE: readonly [AddressKind | undefined, string][] = [
  ['unspecified', '0.0.0.0 0.255.255.255 :: 0:0:0:0:0:0:0:0'],
  [
    'loopback',
    '127.0.0.0 127.0.0.1 127.255.255.255 ::1 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::127.0.0.1',
  ],
  ['private', '10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fd12::1 fdff:ffff::1 fec0::1'],
  ['private', '::ffff:10.0.0.1 0:0:0:0:0:ffff:0a00:0001 64:ff9b::a00:1 64:ff9b::192.168.1.1'],
  ['link-local', '169.254.0.1 169.254.255.255 fe80::1 febf::1 ::ffff:169.254.1.1'],
  ['metadata', '169.254.169.254 169.254.170.2 168.63.129.16 100.100.100.200 fd00:ec2::254 fd00:0ec2:0::0254'],
  ['metadata', '::ffff:169.254.169.254 ::ffff:a9fe:a9fe 64:ff9b::a9fe:a9fe 64:ff9b::169.254.169.254 fd20:ce::254'],
  ['shared', '100.64.0.1 100.127.255.255 ::ffff:100.64.0.1'],
  ['multicast', '224.0.0.1 239.255.255.255 ff02::1 ff00:: ffff::1'],
  ['documentation', '192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 2001:db8:ffff::1 3fff::1'],
  ['benchmark', '198.18.0.1 198.19.255.255 2001:2::1'],
  ['transition', '192.88.99.1 2002:7f00:1:: 2002:0a00:1::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 64:ff9b:1::1'],
  ['transition', '64:ff9b:1:7f00:0:100:: 64:ff9b:1::127.0.0.1 2002:808:808::1'],
  ['reserved', '240.0.0.1 255.255.255.255 192.0.0.1 2001:1::1 2001:10::1 2001:20::1 ::127.0.0.1 ::8.8.8.8 ::7f00:1'],
  [
    'reserved',
    '::ffff:0:127.0.0.1 ::ffff:0:808:808 100::1 5f00::1 4000::1 8000::1 1::1 64:ff9b:2::1 64:ff9b::1:7f00:1',
  ],
  ['malformed', 'fe80::1%eth0 ::1%lo 2606:4700::1%1 127.1 localhost [::1] 1.2.3.4.5 1.2.3 g::1 x'],
  [undefined, '1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 126.255.255.255 128.0.0.1 172.15.255.255 172.32.0.1 192.167.1.1'],
  [undefined, '100.63.255.255 100.128.0.1 169.253.1.1 169.255.1.1 198.17.1.1 198.20.0.1 223.255.255.255 192.0.1.1'],
  [
    undefined,
    '2606:4700:4700::1111 2a00:1450::1 2001:4860:4860::8888 2001:200::1 2003::1 ::ffff:8.8.8.8 64:ff9b::808:808',
  ],
];

describe('judgeAddress', () => {
  for (const [kind, addresses] of TABLE) {
    for (const address of addresses.split(' ')) {
      test(`${address} is ${kind ?? 'public'}`, () => assert.equal(judgeAddress(address), kind));
    }
  }

  test('an empty text is not an address', () => assert.equal(judgeAddress(''), 'malformed'));

  test('every kind has words', () => {
    for (const [kind] of TABLE) if (kind !== undefined) assert.match(describeKind(kind), /\w/);
  });

  test("a public address that is this machine's own is refused, also when it is wrapped", () => {
    const own = new BlockList();
    own.addAddress('8.8.4.4', 'ipv4');
    own.addAddress('2a00:1450::5', 'ipv6');
    for (const address of ['8.8.4.4', '::ffff:8.8.4.4', '64:ff9b::808:404', '2a00:1450::5', '2A00:1450:0::0:5']) {
      assert.equal(judgeAddress(address, own), 'own', address);
    }
    assert.equal(judgeAddress('8.8.4.5', own), undefined);
  });

  test('agrees with plain arithmetic on any IPv4 address, bare and wrapped', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), nearRanges()), (value) => {
        const dotted = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
        const hex = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
        const expected = isPublicIpv4(value);
        for (const spelling of [dotted, `::ffff:${dotted}`, `::ffff:${hex}`, `64:ff9b::${hex}`]) {
          assert.equal(judgeAddress(spelling) === undefined, expected, spelling);
        }
        assert.notEqual(judgeAddress(`::${dotted}`), undefined);
        assert.notEqual(judgeAddress(`2002:${hex}::1`), undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  test('nothing outside of 2000::/3 is public but what wraps a public IPv4 address', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const [first = 0, second] = groups;
        fc.pre(first >> 13 !== 1 && first !== 0 && !(first === 0x64 && second === 0xff9b));
        assert.notEqual(judgeAddress(groups.map((value) => value.toString(16)).join(':')), undefined);
      }),
    );
  });
});

const SPECIAL: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

function start(network: string): number {
  return network.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function isPublicIpv4(value: number): boolean {
  return !SPECIAL.some(([network, bits]) => value >= start(network) && value < start(network) + 2 ** (32 - bits));
}

/** The first and last address of each range, and their neighbours. */
function nearRanges(): fc.Arbitrary<number> {
  const edges = SPECIAL.flatMap(([network, bits]) => [start(network), start(network) + 2 ** (32 - bits)]);
  return fc.constantFrom(...edges.flatMap((edge) => [edge - 1, edge, edge + 1]).filter((v) => v >= 0 && v < 2 ** 32));
}
