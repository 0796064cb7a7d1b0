import type { Stage } from './stages.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * What a stage's output and exit status amount to. A runner that ended badly without a failed test to show, or that ran no
 * test, has failed once: silence is no success. A plain stage counts only when it fails.
 */
export function readCounts(kind: Stage['kind'], output: string, status: number): Counts {
  const counts = kind === 'node' ? nodeCounts(output) : kind === 'bun' ? bunCounts(output) : undefined;
  if (!counts) return { passed: 0, failed: kind === 'plain' && status === 0 ? 0 : 1, skipped: 0 };
  const ranNothing = counts.passed + counts.failed === 0;
  const unexplained = status !== 0 && counts.failed === 0;
  return ranNothing || unexplained ? { ...counts, failed: 1 } : counts;
}

/** The spec reporter ends with lines as `ℹ pass 12`; a test may print such a line too, so the last one holds. */
function nodeCounts(output: string): Counts | undefined {
  const last = (name: string) => lastNumber(output, new RegExp(`^\\S+ ${name} (\\d+)$`, 'gm'));
  const passed = last('pass');
  const failed = last('fail');
  if (passed === undefined || failed === undefined) return undefined;
  return { passed, failed: failed + (last('cancelled') ?? 0), skipped: (last('skipped') ?? 0) + (last('todo') ?? 0) };
}

/** Bun ends with lines as ` 12 pass`, and leaves out those that are zero, except these two. */
function bunCounts(output: string): Counts | undefined {
  const last = (name: string) => lastNumber(output, new RegExp(`^ *(\\d+) ${name}$`, 'gm'));
  const passed = last('pass');
  const failed = last('fail');
  if (passed === undefined || failed === undefined) return undefined;
  return { passed, failed: failed + (last('errors?') ?? 0), skipped: (last('skip') ?? 0) + (last('todo') ?? 0) };
}

function lastNumber(output: string, pattern: RegExp): number | undefined {
  const found = [...output.matchAll(pattern)].at(-1)?.[1];
  return found === undefined ? undefined : Number(found);
}

const SHOWN_LINES = 150;

/** What of a failed stage's output says why. */
export function failingPart(kind: Stage['kind'], output: string): string {
  const lines = output.trimEnd().split('\n');
  if (kind === 'node') {
    const start = lines.findLastIndex((line) => line.endsWith('failing tests:'));
    if (start >= 0) return lines.slice(start, start + SHOWN_LINES).join('\n');
  }
  if (kind === 'bun') {
    const start = lines.findIndex((line) => /^(error|\d+ \|)|\(fail\)|# Unhandled error/.test(line));
    if (start >= 0) return lines.slice(start, start + SHOWN_LINES).join('\n');
  }
  return lines.slice(-SHOWN_LINES).join('\n');
}
