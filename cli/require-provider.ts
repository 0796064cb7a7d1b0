import { NanoError } from '../src/errors.ts';
import { pathsFor } from '../src/paths.ts';

/**
 * A sentence when it has no credential in .env yet; throws NC_PROVIDER_MISSING unless this checkout has that provider,
 * downloaded, and NC_ENV_INVALID.
 */
export async function requireProvider(root: string, home: string, name: string): Promise<string | undefined> {
  // Loaded late: most commands need none of it.
  const { loadProvider } = await import('../src/providers/registry.ts');
  const { readEnvFile } = await import('../src/env.ts');
  const provider = await loadProvider(root, name);
  if (!provider.installed(root)) throw new NanoError('NC_PROVIDER_MISSING', `It is ${name}.`);
  if (!provider.needsCredential) return undefined;
  if (provider.credentialFromEnv({ ...process.env, ...readEnvFile(pathsFor(home).env) })) return undefined;
  return `${provider.displayName} has no credential yet: run \`bash nanoclaw.sh --provider ${name}\`.`;
}
