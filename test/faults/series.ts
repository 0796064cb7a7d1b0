import type { Result } from './drive.ts';
import { POINTS } from './points.ts';

/** Many runs, some at once, and what came of them. */

export async function playAll(
  seeds: readonly number[],
  atOnce: number,
  play: (seed: number) => Promise<Result>,
): Promise<Result[]> {
  const waiting = [...seeds];
  const results: Result[] = [];
  const one = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) results.push(await play(seed));
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return results;
}

export function summary(results: readonly Result[]): { text: string; failed: number; missed: string[] } {
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  const reached = new Set(results.flatMap((result) => result.reached));
  const missed = POINTS.map(({ name }) => name).filter((name) => !reached.has(name));
  const times = results.map(({ ms }) => ms).sort((a, b) => a - b);
  const text = [
    `${results.length} runs, ${failed} failed; ${sum(({ crashes }) => crashes)} hosts killed`,
    `${reached.size} of ${POINTS.length} points reached, ${sum((result) => result.reached.length)} times`,
    `${sum(({ dropped }) => dropped)} deliveries repeated and dropped by the platform`,
    `${sum(({ toolsAgain }) => toolsAgain)} tools ran again`,
    `a run took ${times[Math.floor(times.length / 2)]} ms at the median, ${times.at(-1)} ms at most`,
  ].join('; ');
  return { text, failed, missed };
}
