import { SKILL_NAME } from './read.ts';

/** Which skills a group has: `automatic`, `all`, `none`, or names with commas. Pure. */

export const AUTOMATIC = 'automatic';
const WORDS = [AUTOMATIC, 'all', 'none'] as const;
/** Each one's description is in every prompt. */
export const MAX_SKILLS = 50;

export interface Choosable {
  name: string;
  /** Empty: for any. */
  channels: readonly string[];
}

/** As it is kept: sorted, each name once. What is empty is `automatic`. */
export function cleanSelection(text: string): string {
  const names = new Set(text.split(/[\s,]+/).filter((name) => name !== ''));
  return names.size === 0 ? AUTOMATIC : [...names].sort().join(',');
}

/** One sentence, or undefined. */
export function selectionProblem(selection: string, known: readonly string[]): string | undefined {
  if (WORDS.some((word) => word === selection)) return undefined;
  const names = selection.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return `There is no skill ${JSON.stringify(unknown.slice(0, 80))}. There are ${known.join(', ')}; or ${WORDS.join(', ')}.`;
  }
  return names.length > MAX_SKILLS ? `An agent has at most ${MAX_SKILLS} skills.` : undefined;
}

/** Those that have to be looked at. */
export function candidates(selection: string, known: readonly string[]): readonly string[] {
  if (selection === 'none') return [];
  if (selection === AUTOMATIC || selection === 'all') return known;
  return selection.split(',').filter((name) => SKILL_NAME.test(name));
}

/** `channels`: those on which the agent is. Given to automatic: what is for any channel, and for those. */
export function isSelected(selection: string, { channels: wanted }: Choosable, channels: ReadonlySet<string>): boolean {
  return selection !== AUTOMATIC || wanted.length === 0 || wanted.some((channel) => channels.has(channel));
}
