import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NanoError } from '../../src/errors.ts';
import type { Credential, CredentialKind, Env, HostProvider } from '../../src/providers/contract.ts';

const VARIABLES: readonly (readonly [CredentialKind, string])[] = [
  // In the harness's own order: what would win there wins here.
  ['auth-token', 'ANTHROPIC_AUTH_TOKEN'],
  ['api-key', 'ANTHROPIC_API_KEY'],
  ['oauth-token', 'CLAUDE_CODE_OAUTH_TOKEN'],
];
const API = 'https://api.anthropic.com';

/** Claude through the Agent SDK. The key stays with the relay; inside there is a placeholder of the same kind. */
export const hostProvider: HostProvider = {
  name: 'claude',
  displayName: 'Claude',
  needsCredential: true,

  credentialFromEnv(env: Env): Credential | undefined {
    for (const [kind, variable] of VARIABLES) {
      const secret = env[variable]?.trim();
      if (secret) return { kind, secret };
    }
    return undefined;
  },

  upstream(env: Env): URL {
    const given = env.ANTHROPIC_BASE_URL?.trim() || API;
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
      throw new NanoError('NC_ENV_INVALID', 'ANTHROPIC_BASE_URL must be an http or https address.');
    return url;
  },

  authHeaderNames: ['x-api-key', 'authorization'],
  // The harness already sends the beta that goes with an OAuth token: the placeholder is one too.
  authHeaders: ({ kind, secret }) =>
    kind === 'api-key' ? { 'x-api-key': secret } : { authorization: `Bearer ${secret}` },

  containerEnv(kind, proxyPort) {
    const variable = VARIABLES.find(([of]) => of === kind)?.[1] ?? 'ANTHROPIC_API_KEY';
    return { ANTHROPIC_BASE_URL: `http://127.0.0.1:${proxyPort}`, [variable]: 'placeholder-the-relay-has-the-key' };
  },

  mounts: (root) => [
    { source: join(root, 'providers', 'claude'), target: '/app/providers/claude' },
    // The package's links lead into the store that the workspace shares.
    { source: join(root, 'node_modules', '.pnpm'), target: '/app/node_modules/.pnpm' },
  ],

  installed(root) {
    const manifest = join(root, 'providers/claude/node_modules/@anthropic-ai/claude-agent-sdk/package.json');
    if (!existsSync(manifest)) return false;
    const fromSdk = createRequire(realpathSync(manifest));
    return binaries().some((name) => {
      try {
        return existsSync(fromSdk.resolve(name));
      } catch {
        return false;
      }
    });
  },
};

/** The SDK's platform packages that run here: which C library this machine has decides among Linux's two. */
function binaries(): string[] {
  const base = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  return (process.platform === 'linux' ? [base, `${base}-musl`] : [base]).map((name) => `${name}/claude`);
}
