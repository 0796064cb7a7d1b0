import type { Card } from '../../../src/channels/adapter.ts';
import { escapeMarkdown } from './markdown.ts';

/** A card as Discord shows it: a text with rows of buttons. Pure. */

const [PER_ROW, ROWS] = [5, 5];
const MAX_LABEL = 80;
const MAX_ID = 100;
const [ROW, BUTTON, GREY] = [1, 2, 2];

/** Undefined where its buttons don't fit: the text says how to answer without. */
export function rowsOf({ buttons }: Card): object[] | undefined {
  const ids = new Set(buttons.map(({ data }) => data));
  const fits = buttons.length <= PER_ROW * ROWS && ids.size === buttons.length;
  if (!fits || buttons.some(({ data }) => data === '' || data.length > MAX_ID)) return undefined;
  const made = buttons.map(({ data, label }) => ({
    type: BUTTON,
    style: GREY,
    custom_id: data,
    label: shorten(label),
  }));
  return Array.from({ length: Math.ceil(made.length / PER_ROW) }, (_, row) => ({
    type: ROW,
    components: made.slice(row * PER_ROW, (row + 1) * PER_ROW),
  }));
}

export function wordsOf({ title, body }: Card): string {
  const head = title === '' ? '' : `**${escapeMarkdown(title)}**`;
  return [head, escapeMarkdown(body)].filter((part) => part !== '').join('\n');
}

function shorten(label: string): string {
  const whole = label.trim() === '' ? '…' : label.trim();
  return whole.length <= MAX_LABEL ? whole : `${whole.slice(0, MAX_LABEL - 1).toWellFormed()}…`;
}
