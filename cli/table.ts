import { type Look, paint } from './screen.ts';
import { cut, harmless, pad, widthOf } from './width.ts';

const GAP = 2;
const LEAST = 6;

/** By column: what stands for its cells where there is too little room. These are never cut. */
export type Short = ReadonlyMap<number, readonly string[]>;

/** Rows under their heads, fitted to the screen: ids give way first, then the widest columns. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  look: Look,
  short: Short = new Map(),
): string {
  const cells = rows.map((row) => row.map(harmless));
  const isTooWide = total(widthsOf(heads, cells)) > look.width;
  const shown = isTooWide ? cells.map((row, at) => row.map((cell, column) => short.get(column)?.[at] ?? cell)) : cells;
  const widths = fit(widthsOf(heads, shown), look.width, short);
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => pad(cut(row[column] ?? '', width), width))
      .join(' '.repeat(GAP))
      .trimEnd();
  return [paint(look, 'bold', line(heads)), ...shown.map(line)].join('\n');
}

/** Names and values, one a line; what a value has on further lines stands below it. */
export function pairs(entries: readonly (readonly [name: string, value: string])[], look: Look): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + GAP;
  return entries
    .map(([name, value]) => {
      const lines = value.split('\n').map(harmless);
      return `${paint(look, 'dim', name.padEnd(width - GAP))}${' '.repeat(GAP)}${lines.join(`\n${' '.repeat(width)}`)}`;
    })
    .join('\n');
}

function widthsOf(heads: readonly string[], rows: readonly (readonly string[])[]): number[] {
  return heads.map((head, column) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), widthOf(head)),
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one + GAP, -GAP);
}

function fit(wanted: readonly number[], width: number, rigid: Short): number[] {
  const widths = [...wanted];
  for (let excess = total(widths) - width; excess > 0; excess--) {
    const cuttable = widths.map((one, column) => (rigid.has(column) ? 0 : one));
    const widest = cuttable.indexOf(Math.max(...cuttable));
    const now = cuttable[widest] ?? 0;
    if (now <= LEAST) break;
    widths[widest] = now - 1;
  }
  return widths;
}
