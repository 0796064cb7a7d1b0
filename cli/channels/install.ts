import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NanoError } from '../../src/errors.ts';
import type { Available } from './packages.ts';

/** Downloads what a channel runs on, from the lockfile; edits no tracked file. Throws NC_CHANNEL. */
export async function installPackages(root: string, { manifest }: Available): Promise<void> {
  const child = spawn('bash', ['setup/install-packages.sh', `channel:${manifest.name}`], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const [status] = await once(child, 'close');
  if (status === 0) return;
  const last = said.trimEnd().split('\n').slice(-5).join('\n');
  throw new NanoError('NC_CHANNEL', `What ${manifest.title} runs on could not be downloaded:\n${last}`);
}
