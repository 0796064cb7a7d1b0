import { printable } from '../src/log/printable.ts';
import { type Look, paint } from './screen.ts';

const GAP = 2;
const LEAST = 6;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

/** Rows under their heads, fitted to the screen: the widest columns give way first. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], look: Look): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell).replace(/\s+/g, ' ')));
  const widths = fit(
    heads.map((head, column) => cells.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), widthOf(head))),
    look.width,
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => pad(cut(row[column] ?? '', width), width))
      .join(' '.repeat(GAP))
      .trimEnd();
  return [paint(look, 'bold', line(heads)), ...cells.map(line)].join('\n');
}

/** Names and values, one a line. */
export function pairs(entries: readonly (readonly [name: string, value: string])[], look: Look): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${paint(look, 'dim', name.padEnd(width))}${' '.repeat(GAP)}${printable(value)}`)
    .join('\n');
}

function fit(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  let excess = widths.reduce((sum, one) => sum + one + GAP, -GAP) - width;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const now = widths[widest] ?? 0;
    if (now <= LEAST) break;
    widths[widest] = now - 1;
    excess--;
  }
  return widths;
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
