import type { StageResult } from './run-stage.ts';
import type { Stage } from './stages.ts';

/** More files than this don't fail by chance. */
const MOST_FILES = 3;
/** What these look for happens rarely, too: one failure is a finding. */
const ONCE_ONLY = /^test\/(?:faults|hostile|sandbox)\//;
const TEST_FILE = /\.test\.ts$/;

/**
 * The failed test files of a stage, to be run once more with nothing beside them: a test that then holds failed of what
 * ran at the same time. Undefined when a second run would prove nothing: too many failed, or one that may not fail even
 * once, or the output doesn't say which.
 */
export function filesToRepeat(stage: Stage, { counts, output }: StageResult): string[] | undefined {
  const named = stage.kind === 'node' ? nodeFailures(output) : stage.kind === 'bun' ? bunFailures(output) : [];
  const files = [...new Set(named)];
  const allNamed =
    counts.failed > 0 && named.length >= counts.failed && files.every((file) => stage.command.some(is(file)));
  return allNamed && files.length <= MOST_FILES && !files.some((file) => ONCE_ONLY.test(file)) ? files : undefined;
}

/** The stage with these files alone, one after the other. */
export function onlyFiles(stage: Stage, files: readonly string[]): Stage {
  const command = stage.command
    .filter((part) => !TEST_FILE.test(part) || files.some((file) => is(file)(part)))
    .map((part) => part.replace(/^--test-concurrency=.*$/, '--test-concurrency=1'));
  return { ...stage, name: `${stage.name}-again`, command };
}

const is = (file: string) => (part: string) => part === file || part === `./${file}`;

/** Of the list at its end: `test at path:line:column`, for a suite and for each of its tests. */
function nodeFailures(output: string): string[] {
  const list = output.slice(output.lastIndexOf('failing tests:'));
  return [...list.matchAll(/^test at (.+?):\d+:\d+$/gm)].map(([, file = '']) => file);
}

/** A line with the file's name stands before its tests. */
function bunFailures(output: string): string[] {
  const failures: string[] = [];
  let file = '';
  // At its end it lists them once more, without their files.
  for (const line of output
    .split(/^\d+ tests? failed:$/m, 1)
    .join()
    .split('\n')) {
    const heading = /^(\S+\.test\.ts):$/.exec(line)?.[1];
    if (heading !== undefined) file = heading;
    else if (line.startsWith('(fail)')) failures.push(file);
  }
  return failures;
}
