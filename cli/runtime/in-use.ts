/** What sandboxes are started in as things are: whether an engine answers, and its image. Cheap: nothing is started. */
import { setTimeout as wait } from 'node:timers/promises';
import { EngineTrouble } from '../../drivers/docker/symptoms.ts';
import { describeImageInUse, type ImageText } from '../../drivers/image/in-use.ts';
import { readImageStatus } from '../../drivers/image/status.ts';
import { installSlug } from '../../src/install-slug.ts';
import { pathsFor } from '../../src/paths.ts';
import { asNanoError } from '../../src/system-error.ts';
import { readChoice } from './choice.ts';
import { type EngineLook, lookAtEngine } from './engine.ts';
import { readSettings } from './settings.ts';

export interface InUse {
  image: ImageText | null;
  /** Why no sandbox can be started, as far as that is known. */
  trouble: string | null;
}

const NOTHING: InUse = { image: null, trouble: null };
/** Whoever asks for it looks at a screen. */
const LONGEST_MS = 1_000;

/** Never rejects. */
export async function lookAtInUse(home: string): Promise<InUse> {
  const late = new AbortController();
  try {
    const { file, environment, all } = readSettings(home);
    const { name, problem } = readChoice(file, environment, process.platform);
    if (name === undefined) return trouble(problem ?? 'No runtime is chosen.');
    if (name === 'bubblewrap') return NOTHING;
    const look = await Promise.race([
      lookAtEngine(name, installSlug(home), all),
      wait(LONGEST_MS, undefined, { signal: late.signal }),
    ]);
    if (!look) return trouble(`${name} has not answered for a second.`);
    return { image: imageText(home, look), trouble: null };
  } catch (error) {
    return trouble(error instanceof EngineTrouble ? error.diagnosis.reason : asNanoError(error).message);
  } finally {
    late.abort();
  }
}

export function imageText(home: string, look: EngineLook): ImageText {
  return describeImageInUse(look, readImageStatus(`${pathsFor(home).data}/sandbox`));
}

const trouble = (reason: string): InUse => ({ image: null, trouble: `No sandbox can be started now: ${reason}` });
