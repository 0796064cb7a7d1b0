import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HostProvider } from '../../src/providers/contract.ts';
import { run } from './command.ts';
import type { Steps } from './steps.ts';

/** The host's half of every provider in this checkout, by name. */
export async function loadProviders(root: string): Promise<ReadonlyMap<string, HostProvider>> {
  const found = new Map<string, HostProvider>();
  for (const name of readdirSync(join(root, 'providers')).sort()) {
    const file = join(root, 'providers', name, 'host.ts');
    if (!existsSync(file)) continue;
    const loaded: { hostProvider: HostProvider } = await import(pathToFileURL(file).href);
    found.set(name, loaded.hostProvider);
  }
  return found;
}

/** Downloads what a provider runs on: left out at first, since not everyone needs it. */
export async function installProvider(steps: Steps, root: string, provider: HostProvider): Promise<void> {
  let latest = '';
  await steps.run(
    'provider',
    async (log) => {
      const watched = {
        write: (text: string) => {
          log.write(text);
          latest =
            text.split('\n').findLast((line) => line.includes('Progress') || line.includes('Downloading')) ?? latest;
        },
      };
      const { status, stdout } = await run(['bash', 'setup/install-packages.sh', provider.name], watched);
      if (status !== 0 || !provider.installed(root))
        throw new Error(`${stdout}\nThe packages of ${provider.displayName} are not all there.`);
      return { detail: `what ${provider.displayName} runs on`, value: undefined };
    },
    () => latest.trim(),
  );
}
