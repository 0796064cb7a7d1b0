import { EFFORTS } from '../../src/groups/efforts.ts';
import type { InForce, Level } from './decide.ts';

/** `/model` and what may follow it, and how it is answered. Pure. */

/** null: back to what is set elsewhere. */
export type ModelWish =
  | { ask: 'show' }
  | { ask: 'change'; changes: { provider?: null; model?: string | null; effort?: string | null } }
  | { ask: 'unclear'; why: string };

const USAGE = `It is /model and a name, /model default, or /model effort and one of ${EFFORTS.join(', ')}, default.`;

/** `names`: of the agents here; a command may call one, which is no argument. */
export function readModelWish(text: string, names: readonly string[]): ModelWish {
  const longestFirst = names.toSorted((a, b) => b.length - a.length);
  const calls = new RegExp(longestFirst.map((name) => `@${escaped(name)}(?=\\s|$)`).join('|') || '(?!)', 'giu');
  const rest = text
    .trim()
    .replace(/^\/\S+/, '')
    .replace(calls, ' ');
  const [first, second, ...more] = rest.split(/\s+/).filter((word) => word !== '');
  if (first === undefined) return { ask: 'show' };
  if (first.toLowerCase() === 'effort') {
    return second === undefined || more.length > 0
      ? { ask: 'unclear', why: USAGE }
      : { ask: 'change', changes: { effort: orNone(second.toLowerCase()) } };
  }
  if (second !== undefined) return { ask: 'unclear', why: USAGE };
  // Whatever was set for the conversation is what may not work.
  if (orNone(first.toLowerCase()) === null) {
    return { ask: 'change', changes: { provider: null, model: null, effort: null } };
  }
  return { ask: 'change', changes: { model: first } };
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function orNone(word: string): string | null {
  return word === 'default' ? null : word;
}

/** Whose word it is, for a person. */
export function sourceOf(from: Level | undefined, agent: string): string {
  if (from === 'session') return 'set for this conversation';
  if (from === 'group') return `set for ${agent}`;
  return from === 'default' ? 'the default of this install' : "the provider's own choice";
}

/** One line: what is in force. */
export function inForceLine({ provider, model, effort }: InForce, agent: string): string {
  return [
    `Provider: ${provider.value}${provider.from ? ` (${sourceOf(provider.from, agent)})` : ''}.`,
    `Model: ${model.value ? `${model.value} (${sourceOf(model.from, agent)})` : sourceOf(undefined, agent)}.`,
    `Effort: ${effort.value ? `${effort.value} (${sourceOf(effort.from, agent)})` : sourceOf(undefined, agent)}.`,
  ].join(' ');
}
