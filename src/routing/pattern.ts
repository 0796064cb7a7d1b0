import { createContext, Script } from 'node:vm';
import type { PatternResult } from './decide.ts';

/** An engage pattern, with a time limit: one that backtracks for ever does not match, and holds nobody up. */

const LIMIT_MS = 20;
/** What is longer is looked at up to here. */
const MAX_TEXT = 16 * 1024;
export const MAX_PATTERN = 1_000;
const test = new Script('new RegExp(pattern, "u").test(text)');
/** One for all: making it takes longer than the test, and a regular expression leaves nothing behind in it. */
const context = createContext({});

export function matchPattern(pattern: string | null, text: string): PatternResult {
  if (pattern === '.') return 'match';
  if (pattern === null || pattern.length > MAX_PATTERN) return 'invalid';
  try {
    Object.assign(context, { pattern, text: text.slice(0, MAX_TEXT) });
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
  for (const text of probes(pattern)) {
    const result = matchPattern(pattern, text);
    if (result === 'too-slow') return 'This pattern takes too long: it repeats what repeats, as in (a+)+.';
    if (result === 'invalid') return 'This is no regular expression.';
  }
  return undefined;
}

/** What such a pattern trips over: its own characters again and again, and an end that does not fit. */
function probes(pattern: string): string[] {
  const own = [...new Set(pattern.match(/[\p{L}\p{N},;._ -]/gu) ?? [])].slice(0, 20);
  return ['a', ...own].map((char) => `${char.repeat(200)}\uFFFF`);
}
