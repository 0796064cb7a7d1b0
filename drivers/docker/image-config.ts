/** What an image brings along beside its files, and must not. Pure. */
import type { Diagnosis } from './symptoms.ts';

export interface ImageConfig {
  /** Paths at which the engine makes a folder of its own for each container. */
  volumes: readonly string[];
  /** `NAME=value`, given to whatever runs in it. */
  env: readonly string[];
}

/** Why no sandbox may run in it, or null. */
export function refuseConfig(image: string, { volumes, env }: ImageConfig): Diagnosis | null {
  const [volume] = volumes;
  const loader = env.map((entry) => entry.split('=', 1)[0] ?? '').find((name) => name.startsWith('LD_'));
  const reason =
    volume !== undefined
      ? `has a volume at ${volume}: a sandbox could write there without limit, on the engine's disk.`
      : loader !== undefined
        ? `sets ${loader}, by which code could get into the first program of a sandbox, before the host's word.`
        : null;
  if (reason === null) return null;
  return {
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `The image ${image} ${reason}`,
    remedy:
      'Make it without that (an image has what its base has), or name another with NANOCLAW_IMAGE or NANOCLAW_BASE_IMAGE.',
  };
}
