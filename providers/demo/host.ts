import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HostProvider } from '../../src/providers/contract.ts';

/** Rule-based, and says so: no account, no key, no network. */
export const hostProvider: HostProvider = {
  name: 'demo',
  displayName: 'Demo (rule-based, no account)',
  needsCredential: false,
  credentialFromEnv: () => undefined,
  upstream: () => undefined,
  authHeaderNames: [],
  authHeaders: () => ({}),
  containerEnv: () => ({}),
  mounts: (root) => [{ source: join(root, 'providers', 'demo'), target: '/app/providers/demo' }],
  installed: (root) => existsSync(join(root, 'providers', 'demo', 'runner.ts')),
};
