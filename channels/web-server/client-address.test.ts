import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddress } from './client-address.ts';

const table: readonly [peer: string, forwardedFor: string | undefined, counted: string | undefined][] = [
  ['203.0.113.5', undefined, '203.0.113.5'],
  ['203.0.113.5', '198.51.100.1', '203.0.113.5'],
  ['::ffff:203.0.113.5', '198.51.100.1', '203.0.113.5'],
  ['127.0.0.1', undefined, undefined],
  ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['::1', '10.0.0.1, 198.51.100.1', '198.51.100.1'],
  ['::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['127.0.0.1', '198.51.100.1, nonsense', undefined],
  ['127.0.0.1', '', undefined],
  ['127.0.0.1', '198.51.100.1:80', undefined],
  ['127.0.0.1', '127.0.0.1', undefined],
  ['2001:db8:1:2:3:4:5:6', undefined, '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', undefined, '2001:db8:1:2::/64'],
  ['127.0.0.1', '2001:db8::1', '2001:db8:0:0::/64'],
  ['', undefined, ''],
];

for (const [peer, forwardedFor, counted] of table) {
  test(`${peer || 'nobody'} with ${forwardedFor ?? 'no header'} is counted as ${counted ?? 'nobody'}`, () => {
    assert.equal(clientAddress(peer, forwardedFor), counted);
  });
}
