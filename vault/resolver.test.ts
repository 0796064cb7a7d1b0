import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { resolveName } from './resolver.ts';

test('a name that a rule names is looked up as this machine does it, with its hosts file', async () => {
  const addresses = await resolveName('localhost', true);
  assert.ok(addresses.length > 0 && addresses.every((address) => isIP(address) !== 0));
});
