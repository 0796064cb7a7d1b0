import { type Look, paint } from './screen.ts';
import { cut, harmless, pad, widthOf } from './width.ts';

/** Values as bars under each other, fitted to the screen; where nobody looks (a pipe), without the bars. */

export interface Bar {
  label: string;
  value: number;
  /** What stands behind it. */
  text: string;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LEAST_BAR = 8;
const LONGEST_BAR = 60;
const MOST_LABEL = 32;

export function bars(all: readonly Bar[], look: Look): string {
  const labels = all.map(({ label }) => harmless(label));
  const isFree = !Number.isFinite(look.width);
  const most = isFree ? Number.POSITIVE_INFINITY : Math.min(MOST_LABEL, Math.floor(look.width / 3));
  const wide = Math.min(most, Math.max(...labels.map(widthOf)));
  const texts = Math.max(...all.map(({ text }) => widthOf(text)));
  const room = Math.min(LONGEST_BAR, look.width - wide - texts - 4);
  const highest = Math.max(...all.map(({ value }) => value));
  return all
    .map(({ value, text }, at) => {
      const label = pad(cut(labels[at] ?? '', wide), wide);
      const isDrawn = !isFree && room >= LEAST_BAR;
      const bar = isDrawn ? `${paint(look, 'green', pad(barOf(highest > 0 ? value / highest : 0, room), room))}  ` : '';
      const line = `${label}  ${bar}${text}`.trimEnd();
      return isFree || isDrawn ? line : cut(line, look.width);
    })
    .join('\n');
}

/** `part`: of the whole width, from 0 to 1. What is more than nothing is seen. */
function barOf(part: number, width: number): string {
  const eighths = part > 0 ? Math.max(1, Math.round(part * width * 8)) : 0;
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}
