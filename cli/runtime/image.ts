/** Has the image made that sandboxes run in, for somebody who waits for it. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureImage } from '../../drivers/image/index.ts';
import { readImageStatus } from '../../drivers/image/status.ts';
import { installSlug } from '../../src/install-slug.ts';
import { pathsFor } from '../../src/paths.ts';
import type { Settings } from './choice.ts';
import type { EngineName } from './engine.ts';

/** Where all that a build says is. */
export const IMAGE_LOG = 'logs/image.log';

const LOOK_MS = 250;

/** Why it isn't made, as a sentence; undefined: it is there, and was tried. `onStep` gets how far it is. */
export async function makeImage(
  home: string,
  name: EngineName,
  settings: Settings,
  onStep: (step: string) => void,
): Promise<string | undefined> {
  const stateDir = join(pathsFor(home).data, 'sandbox');
  const options = { name, slug: installSlug(home), stateDir, env: settings, log: () => undefined, asked: true };
  const showing = new AbortController();
  const shown = show(stateDir, onStep, showing.signal);
  const outcome = await ensureImage(options);
  showing.abort();
  await shown;
  if (outcome.ok) return undefined;
  // Without what a host would do about it.
  const status = readImageStatus(stateDir);
  return status?.state === 'failed' && status.reason ? status.reason : outcome.sentence;
}

/** Also those of another process, which is waited for. */
async function show(stateDir: string, onStep: (step: string) => void, signal: AbortSignal): Promise<void> {
  for (let before = ''; !signal.aborted; await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)) {
    const status = readImageStatus(stateDir);
    if (status?.state !== 'building') continue;
    const whose = status.pid === process.pid ? '' : `another build is at work here (process ${status.pid}): `;
    const step = `${whose}${status.step ?? 'it begins'}`;
    if (step !== before) onStep(step);
    before = step;
  }
}
