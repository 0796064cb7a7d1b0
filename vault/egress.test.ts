import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import { type EgressPolicy, judgeAddresses, refusalText, refuseTarget } from './egress.ts';
import { parseAuthority, parseRule } from './target.ts';

const MACHINE = 'Workbench';
const own = new BlockList();
own.addAddress('8.8.4.4', 'ipv4');

function policy(...allow: string[]): EgressPolicy {
  return { egress: 'public', rules: allow.flatMap((text) => parseRule(text) ?? assert.fail(text)) };
}

/** Why a request for this host is refused when its name resolves to `resolved`; undefined when it may pass. */
function refusal(
  rules: EgressPolicy,
  asked: string,
  resolved: readonly string[] = ['93.184.216.34'],
): string | undefined {
  const target = parseAuthority(asked);
  if (target === undefined) return 'unreadable';
  const early = refuseTarget(rules, target, MACHINE);
  if (early !== undefined) return early;
  const judged = judgeAddresses(rules, target, target.isAddress ? [target.host] : resolved, own);
  return judged.allowed.length > 0 ? undefined : judged.reason;
}

function spellings(address: string): string[] {
  const parts = address.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  const group = (high: number, low: number) => (high * 256 + low).toString(16);
  const hex = `${group(a, b)}:${group(c, d)}`;
  return [
    address,
    `${address}.`,
    String(value),
    `0x${value.toString(16)}`,
    `0X${value.toString(16).toUpperCase()}`,
    `0${value.toString(8)}`,
    `000000000000${value.toString(8)}`,
    parts.map((part) => `0x${part.toString(16)}`).join('.'),
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    `0x${a.toString(16)}.${b}.0${(c * 256 + d).toString(8)}`,
    address.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    address.replace(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
    address.replaceAll('.', '。'),
    address.replaceAll('.', '．'),
    address.replaceAll('.', '｡'),
    address.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    address.replace('.', '%2e'),
    `[::ffff:${address}]`,
    `[::FFFF:${hex}]`,
    `[0:0:0:0:0:ffff:${hex}]`,
    `[0000:0000:0000:0000:0000:ffff:${hex}]`,
    `[::${address}]`,
    `[::ffff:0:${address}]`,
    `[64:ff9b::${address}]`,
    `[64:ff9b::${hex}]`,
    `[64:ff9b:1::${hex}]`,
    `[2002:${hex}::1]`,
    `[2001:0:${hex}::1]`,
    `[2001::${(a ^ 255).toString(16)}${(b ^ 255).toString(16).padStart(2, '0')}:${group(c ^ 255, d ^ 255)}]`,
  ];
}

const FORBIDDEN = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.0.0.5',
  '172.17.0.1',
  '192.168.1.254',
  '169.254.1.1',
  '169.254.169.254',
  '168.63.129.16',
  '100.64.0.9',
  '224.0.0.251',
  '255.255.255.255',
  '198.18.0.7',
  '192.0.2.77',
  '8.8.4.4',
];

describe('every spelling of what is not public is refused', () => {
  for (const address of FORBIDDEN) {
    for (const spelling of spellings(address)) {
      test(`${spelling}`, () => {
        assert.notEqual(refusal(policy(), `${spelling}:80`), undefined);
        assert.notEqual(refusal(policy(), `${spelling}:65535`), undefined);
      });
    }
  }

  const names = [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'localhost..',
    'a.localhost',
    'a.b.LocalHost.',
    'lo%63alhost',
    'ｌｏｃａｌｈｏｓｔ',
    'localhost.localdomain',
    'ip6-localhost',
    'ip6-loopback',
    'IP6-LOCALHOST.',
    'workbench',
    'WORKBENCH.',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::]',
    '[0::0]',
    '[fe80::1]',
    '[fe80::1%eth0]',
    '[::1%25lo]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    'user@127.0.0.1',
    'example.com@127.0.0.1',
    '127.0.0.1#example.com',
    '127.0.0.1%00example.com',
    '127.0.0.1%09',
  ];
  for (const name of names) test(name, () => assert.notEqual(refusal(policy(), `${name}:80`), undefined));
});

describe('a name is judged by where it points', () => {
  test('public addresses pass', () => assert.equal(refusal(policy(), 'example.com:443'), undefined));
  for (const address of [...FORBIDDEN, '::1', 'fe80::1%eth0', '::ffff:127.0.0.1', 'nonsense', '']) {
    test(`"${address}" does not`, () => assert.notEqual(refusal(policy(), 'example.com:443', [address]), undefined));
  }
  test('of several, only the public ones are left', () => {
    const target = parseAuthority('example.com:443') ?? assert.fail();
    const judged = judgeAddresses(policy(), target, ['127.0.0.1', '1.1.1.1', '::1', '10.0.0.1'], own);
    assert.deepEqual(judged.allowed, ['1.1.1.1']);
  });
  test('a name with no address is refused with a reason', () => {
    assert.equal(refusal(policy(), 'example.com:443', []), 'example.com has no address');
  });
  test('the reason names the address', () => {
    const reason = 'example.com has the address 10.0.0.1, which is a private address';
    assert.equal(refusal(policy(), 'example.com:443', ['10.0.0.1']), reason);
  });
});

describe('rules of the owner', () => {
  const passes: readonly [rule: string, asked: string, resolved?: string][] = [
    ['127.0.0.1:8080', '127.1:8080'],
    ['localhost:*', 'localhost:1', '127.0.0.1'],
    ['[::1]:80', '[::1]:80'],
    ['10.0.0.5:8123', '10.0.0.5:8123'],
    ['169.254.169.254:80', '169.254.169.254:80'],
    ['nas.example:443', 'nas.example:443', '192.168.1.9'],
    ['mail.example:25', 'mail.example:25', '93.184.216.34'],
    ['workbench:22', 'workbench:22', '8.8.4.4'],
  ];
  for (const [rule, asked, resolved] of passes) {
    test(`${rule} lets ${asked} pass`, () => {
      assert.equal(refusal(policy(rule), asked, resolved ? [resolved] : undefined), undefined);
    });
  }
  const fails: readonly [rule: string, asked: string, resolved?: string][] = [
    ['127.0.0.1:8080', '127.0.0.1:8081'],
    ['127.0.0.1:8080', 'localhost:8080', '127.0.0.1'],
    ['127.0.0.1:8080', 'rebind.example:8080', '127.0.0.1'],
    ['10.0.0.5:*', '[::ffff:10.0.0.5]:80'],
    ['nas.example:443', 'nas.example:443', '169.254.169.254'],
    ['nas.example:443', 'nas.example:443', 'fe80::1%eth0'],
    ['nas.example:443', 'x.nas.example:443', '192.168.1.9'],
  ];
  for (const [rule, asked, resolved] of fails) {
    test(`${rule} does not let ${asked} (${resolved ?? 'itself'}) pass`, () => {
      assert.notEqual(refusal(policy(rule), asked, resolved ? [resolved] : undefined), undefined);
    });
  }

  test('mail between servers needs a rule', () =>
    assert.equal(refusal(policy(), '1.1.1.1:25'), 'port 25 is for mail servers'));
  test('egress none refuses all, whatever the rules say', () => {
    assert.notEqual(refusal({ ...policy('example.com:443'), egress: 'none' }, 'example.com:443'), undefined);
  });
  test('the text says which rule would allow it', () => {
    const target = parseAuthority('[fd00::1]:80') ?? assert.fail();
    assert.match(
      refusalText(policy(), target, 'x is y'),
      /^Refused by the host of this sandbox: x is y\. .*\[fd00::1\]:80\n$/,
    );
  });
});
