/** Which provider, model and effort a conversation has, and by whose word. Pure. */

export const LEVELS = ['session', 'group', 'default'] as const;
export type Level = (typeof LEVELS)[number];

/** What is set at one level. What is empty counts as none. */
export interface Wishes {
  provider?: string | null | undefined;
  model?: string | null | undefined;
  effort?: string | null | undefined;
}

/** `from` undefined: nobody has set it. */
export interface Choice {
  value: string | undefined;
  from: Level | undefined;
}

export interface InForce {
  provider: { value: string; from: Level | undefined };
  /** No value: the provider's own. */
  model: Choice;
  effort: Choice;
}

/** Needs no account: what an install has that was told nothing. */
export const LAST_PROVIDER = 'demo';

export function inForce(wishes: Readonly<Record<Level, Wishes>>): InForce {
  const provider = first(wishes, LEVELS, 'provider');
  const value = provider.value ?? LAST_PROVIDER;
  // A model is a name of the provider that it was chosen for: with another one in force it is no model at all.
  const ofIts = (levels: readonly Level[]) => first(wishes, levels, 'provider').value ?? value;
  const counts: Readonly<Record<Level, boolean>> = {
    session: true,
    group: ofIts(['group', 'default']) === value,
    default: ofIts(['default']) === value,
  };
  return {
    provider: { value, from: provider.from },
    model: first(
      wishes,
      LEVELS.filter((level) => counts[level]),
      'model',
    ),
    effort: first(wishes, LEVELS, 'effort'),
  };
}

function first(wishes: Readonly<Record<Level, Wishes>>, levels: readonly Level[], what: keyof Wishes): Choice {
  for (const level of levels) {
    const value = wishes[level][what]?.trim();
    if (value) return { value, from: level };
  }
  return { value: undefined, from: undefined };
}
