import { createContext, Script } from 'node:vm';
import type { PatternResult } from './decide.ts';

/** An engage pattern, with a time limit: one that backtracks for ever does not match, and holds nobody up. */

const LIMIT_MS = 20;
/** What is longer is looked at up to here. */
const MAX_TEXT = 16 * 1024;
export const MAX_PATTERN = 1_000;
const test = new Script('new RegExp(pattern, "u").test(text)');

export function matchPattern(pattern: string | null, text: string): PatternResult {
  if (pattern === '.') return 'match';
  if (pattern === null || pattern.length > MAX_PATTERN) return 'invalid';
  try {
    const context = createContext({ pattern, text: text.slice(0, MAX_TEXT) });
    return test.runInContext(context, { timeout: LIMIT_MS }) === true ? 'match' : 'no-match';
  } catch (error) {
    // Thrown in that context: an instance of its Error, not of ours.
    return typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
      ? 'too-slow'
      : 'invalid';
  }
}

/** Undefined when it can be used; otherwise a sentence. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN) return `A pattern has at most ${MAX_PATTERN} characters.`;
  const result = matchPattern(pattern, 'a'.repeat(200));
  if (result === 'too-slow') return 'This pattern takes too long: it repeats what repeats, as in (a+)+.';
  return result === 'invalid' ? 'This is no regular expression.' : undefined;
}
