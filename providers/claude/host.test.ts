import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { maskSecret } from '../../src/providers/contract.ts';
import { hostProvider } from './host.ts';

const root = join(import.meta.dirname, '..', '..');

test('takes the credential that the harness itself would take', () => {
  const all = { ANTHROPIC_AUTH_TOKEN: ' at ', ANTHROPIC_API_KEY: 'key', CLAUDE_CODE_OAUTH_TOKEN: 'oat' };
  const read = hostProvider.credentialFromEnv;
  assert.deepEqual(read(all), { kind: 'auth-token', secret: 'at' });
  assert.deepEqual(read({ ...all, ANTHROPIC_AUTH_TOKEN: ' ' }), { kind: 'api-key', secret: 'key' });
  assert.deepEqual(read({ CLAUDE_CODE_OAUTH_TOKEN: 'oat' }), { kind: 'oauth-token', secret: 'oat' });
  assert.equal(read({}), undefined);
});

test('the environment inside holds a placeholder of the same kind, never the secret', () => {
  const key = hostProvider.containerEnv('oauth-token', 8123);
  assert.deepEqual(Object.keys(key).sort(), ['ANTHROPIC_BASE_URL', 'CLAUDE_CODE_OAUTH_TOKEN']);
  assert.equal(key.ANTHROPIC_BASE_URL, 'http://127.0.0.1:8123');
  assert.ok('ANTHROPIC_AUTH_TOKEN' in hostProvider.containerEnv('auth-token', 1));
  assert.ok('ANTHROPIC_API_KEY' in hostProvider.containerEnv('api-key', 1));
});

test('presents each kind as the API wants it', () => {
  assert.deepEqual(hostProvider.authHeaders({ kind: 'api-key', secret: 's' }), { 'x-api-key': 's' });
  assert.deepEqual(hostProvider.authHeaders({ kind: 'oauth-token', secret: 's' }), { authorization: 'Bearer s' });
});

test('upstream is Anthropic unless the owner says otherwise, and an address that cannot be read is refused', () => {
  assert.equal(hostProvider.upstream({})?.href, 'https://api.anthropic.com/');
  assert.equal(hostProvider.upstream({ ANTHROPIC_BASE_URL: 'http://10.1.2.3:8/x' })?.href, 'http://10.1.2.3:8/x');
  for (const bad of ['nonsense', 'ftp://x', 'https://user:pass@x'])
    assert.throws(() => hostProvider.upstream({ ANTHROPIC_BASE_URL: bad }), { code: 'NC_ENV_INVALID' });
});

test('is installed only with its native harness', () => {
  assert.equal(hostProvider.installed(root), true);
  const bare = mkdtempSync(join(tmpdir(), 'nanoclaw-'));
  assert.equal(hostProvider.installed(bare), false);
  rmSync(bare, { recursive: true });
});

test('a masked secret cannot be used', () => {
  assert.equal(maskSecret('sk-ant-api03-0123456789abcdef'), 'sk-ant-…cdef');
  assert.equal(maskSecret('short'), '…');
});
