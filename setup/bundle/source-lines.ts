/** Of a line of the bundle, the lines of the sources that it is made of: a source map without columns of theirs, for stacks. */
export interface SourceLines {
  /** Paths below the checkout. */
  sources: string[];
  /** For each line, from which column on (from 0) it is which line (from 1) of which source: three numbers each, in order. */
  lines: number[][];
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Of a source map, version 3 (ECMA-426). `sources`: as paths below the checkout. */
export function toSourceLines(mappings: string, sources: string[]): SourceLines {
  let source = 0;
  let line = 0;
  const lines = mappings.split(';').map((text) => {
    const found: number[] = [];
    let column = 0;
    for (const segment of text.split(',')) {
      const [columns = 0, sourceStep, lineStep = 0] = decode(segment);
      column += columns;
      if (sourceStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      if (found.at(-1) !== line + 1 || found.at(-2) !== source) found.push(column, source, line + 1);
    }
    return found;
  });
  return { sources, lines };
}

/** Base-64 digits of five bits and one that says that more follow; the lowest bit of a number is its sign. */
function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const char of segment) {
    const digit = DIGITS.indexOf(char);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

/** `line` and `column` from 1, as stacks say them. */
export function findSource({ sources, lines }: SourceLines, line: number, column: number) {
  const found = lines[line - 1] ?? [];
  let at = 0;
  while ((found[at + 3] ?? Number.POSITIVE_INFINITY) < column) at += 3;
  const path = sources[found[at + 1] ?? -1];
  return path === undefined ? undefined : { path, line: found[at + 2] };
}
