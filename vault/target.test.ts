import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isNamed, parseAuthority, parseProxyUrl, parseRule, showTarget } from './target.ts';

describe('parseAuthority', () => {
  const read: readonly [string, string][] = [
    ['example.com:443', 'example.com:443'],
    ['EXAMPLE.Com.:443', 'example.com:443'],
    ['127.1:80', '127.0.0.1:80'],
    ['2130706433:80', '127.0.0.1:80'],
    ['0x7f000001:80', '127.0.0.1:80'],
    ['0X7F.0.0.1:80', '127.0.0.1:80'],
    ['0177.0.0.1:80', '127.0.0.1:80'],
    ['127.0.0.1.:80', '127.0.0.1:80'],
    ['１２７.０.０.１:80', '127.0.0.1:80'],
    ['127。0。0。1:80', '127.0.0.1:80'],
    ['%31%32%37.0.0.1:80', '127.0.0.1:80'],
    ['lo%63alhost:80', 'localhost:80'],
    ['ＬＯＣＡＬＨＯＳＴ:80', 'localhost:80'],
    ['[::1]:80', '[::1]:80'],
    ['[0:0:0:0:0:ffff:7f00:1]:80', '[::ffff:7f00:1]:80'],
    ['[::ffff:127.0.0.1]:80', '[::ffff:7f00:1]:80'],
    ['[2A00::0:1]:080', '[2a00::1]:80'],
    ['bücher.example:443', 'xn--bcher-kva.example:443'],
    ['my_host:1', 'my_host:1'],
    ['a-b.example:65535', 'a-b.example:65535'],
  ];
  for (const [text, shown] of read) {
    test(`${text} is ${shown}`, () => {
      const target = parseAuthority(text);
      assert.equal(target && showTarget(target), shown);
    });
  }

  const refused = [
    '',
    ':80',
    'example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:99999',
    'example.com:-1',
    'example.com:+80',
    'example.com:8 0',
    'example.com:80:80',
    'example.com:80/',
    'example.com:80#',
    'example.com:0x50',
    'user@127.0.0.1:80',
    'user:pass@127.0.0.1:80',
    'example.com:80@127.0.0.1:80',
    'example.com#@127.0.0.1:80',
    'example.com\\@127.0.0.1:80',
    'http://127.0.0.1:80',
    '127.0.0.1 :80',
    '127.0.0.1%20:80',
    '127.0.0.1%00:80',
    'localhost%2F:80',
    'localhost%40x:80',
    'localhost..:80',
    '127.0.0.1..:80',
    '.localhost:80',
    'a..b:80',
    '*.example.com:80',
    '256.1.1.1:80',
    '1.2.3.4.5:80',
    '0x100000000:80',
    '4294967296:80',
    '::1:80',
    '[::1]',
    '[::1:80',
    '[::1%lo]:80',
    '[::1%25lo]:80',
    '[fe80::1%eth0]:80',
    '[127.0.0.1]:80',
    '[::1]x:80',
    '[[::1]]:80',
    `${'a'.repeat(64)}.example:80`,
    `${'a.'.repeat(130)}example:80`,
  ];
  for (const text of refused) {
    test(`${JSON.stringify(text).slice(0, 60)} is refused`, () => assert.equal(parseAuthority(text), undefined));
  }

  test('what is read once reads as itself again', () => {
    const host = fc.oneof(
      fc.ipV4Extended(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.domain(),
      fc.string(),
    );
    fc.assert(
      fc.property(host, fc.nat(70_000), (name, port) => {
        const target = parseAuthority(`${name}:${port}`);
        if (target !== undefined) assert.deepEqual(parseAuthority(showTarget(target)), target);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('parseProxyUrl', () => {
  test('keeps path and query, and fills in the port', () => {
    assert.deepEqual(parseProxyUrl('http://Example.com/a%20b?c=d'), {
      target: { host: 'example.com', port: 80, isAddress: false },
      path: '/a%20b?c=d',
      hostHeader: 'example.com',
    });
    assert.equal(parseProxyUrl('http://[::1]:8080')?.hostHeader, '[::1]:8080');
    assert.equal(parseProxyUrl('http:\\\\127.1\\x')?.target.host, '127.0.0.1');
  });

  for (const text of [
    'https://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://user@example.com/',
    'http://user:pass@example.com/',
    'http://:pass@example.com/',
    'http://example.com:0/',
    'http://example.com:99999/',
    'http://[::1%25lo]/',
    'http://',
    'example.com/',
    '*',
    '',
  ]) {
    test(`${text} is refused`, () => assert.equal(parseProxyUrl(text), undefined));
  }
});

describe('rules', () => {
  const target = (text: string) => parseAuthority(text) ?? assert.fail(text);
  const rules = [
    'LocalHost.:8080',
    '10.0.0.5:8123',
    '[::1]:*',
    'nas:*',
    'bare.test',
    '192.168.1.9',
    'fd00::9',
    '[fd00::8]',
  ].flatMap((text) => parseRule(text) ?? []);

  for (const asked of [
    'localhost:8080',
    '10.0.0.5:8123',
    '0xa000005:8123',
    '[0::1]:1',
    'nas:65535',
    'NAS.:25',
    'bare.test:443',
    '192.168.1.9:80',
    '[fd00::9]:80',
    '[fd00:0::8]:1',
  ]) {
    test(`name ${asked}`, () => assert.equal(isNamed(rules, target(asked)), true));
  }
  for (const asked of [
    'localhost:80',
    '10.0.0.5:8124',
    '127.0.0.1:8080',
    '[::2]:1',
    'x.nas:1',
    '[::ffff:a00:5]:8123',
  ]) {
    test(`don't name ${asked}`, () => assert.equal(isNamed(rules, target(asked)), false));
  }
  for (const text of [
    '',
    'host:0',
    'host:99999',
    '*',
    '*:*',
    ':*',
    'host:',
    'host:**',
    'http://host:80',
    'a b:1',
    '10.0.0.0/8:80',
  ]) {
    test(`"${text}" is no rule`, () => assert.equal(parseRule(text), undefined));
  }
});
