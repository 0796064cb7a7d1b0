import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Checkout, hasCommand } from './testing/checkout.ts';

/** Downloads runtimes and packages for real: some 100 MB, and 170 more for Claude's harness. */
const skip = hasCommand('npm') ? false : 'there is no npm on this machine';

test('from nothing to an answer, then the packages of Claude and of development beside a running host', {
  skip,
}, async () => {
  await using checkout = new Checkout();
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  const env = authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities };
  const first = await checkout.setUp(['--yes', '--message', 'what can you do?'], env);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /demo/);
  assert.equal(existsSync(join(checkout.root, 'providers/claude/node_modules/@anthropic-ai')), false);

  for (const selection of ['claude', 'dev', 'host']) {
    const added = await checkout.run(['bash', 'setup/install-packages.sh', selection], env);
    assert.equal(added.status, 0, added.stderr);
    const again = await checkout.setUp(['--yes', '--message', 'run echo still here']);
    assert.match(again.stdout, /still here/, again.stderr);
    assert.match(again.stderr, /runs already/);
  }
  assert.equal(existsSync(join(checkout.root, 'node_modules/typescript')), true);
  assert.equal(
    existsSync(join(checkout.folder, 'home/.local/share/pnpm')),
    false,
    'removing the folder removes it all',
  );
});
