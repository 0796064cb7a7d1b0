import { EFFORTS } from '../../src/groups/efforts.ts';

/** What a provider, a model and an effort may be called. */

const PROVIDER = /^[a-z0-9][a-z0-9-]{0,63}$/;

export interface ModelWishes {
  provider?: string | null;
  model?: string | null;
  effort?: string | null;
}

/** One sentence, or undefined. What is empty is none, and that may be. */
export function modelProblem({ provider, model, effort }: ModelWishes): string | undefined {
  if (provider && !PROVIDER.test(provider)) return "A provider's name has small letters, digits and dashes.";
  if (model && !/^[^\s\p{C}]{1,128}$/u.test(model)) return "A model's name has 1 to 128 characters, without blanks.";
  const isKnown = !effort || EFFORTS.some((one) => one === effort);
  return isKnown ? undefined : `Effort is one of ${EFFORTS.join(', ')}.`;
}
