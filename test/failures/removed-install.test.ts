import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { startHost } from '../support/host-process.ts';

test('a host whose install is removed ends by itself, and leaves nothing behind', { timeout: 60_000 }, async () => {
  const host = await startHost();
  const ended = once(host.process, 'exit');
  rmSync(host.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  const [code] = await ended;
  assert.equal(code, 0);
  rmSync(host.home, { recursive: true, force: true });
});
