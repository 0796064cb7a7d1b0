import type { Card } from '../../src/channels/adapter.ts';
import { escapeText } from './mrkdwn.ts';

/** A card as Block Kit. Pure. https://docs.slack.dev/reference/block-kit/blocks */

const MAX_SECTION = 3_000;
const MAX_LABEL = 75;
const PER_ROW = 5;

export function blocksOf({ title, body, buttons }: Card): readonly object[] {
  const head = title.trim() === '' ? '' : `*${escapeText(title.trim()).replaceAll('*', '∗')}*`;
  const text = [head, escapeText(body)].filter((part) => part.trim() !== '').join('\n\n');
  const sections = cut(text).map((part) => ({ type: 'section', text: { type: 'mrkdwn', text: part, verbatim: true } }));
  const rows = Array.from({ length: Math.ceil(buttons.length / PER_ROW) }, (_, row) => ({
    type: 'actions',
    elements: buttons.slice(row * PER_ROW, (row + 1) * PER_ROW).map(({ data, label }, column) => ({
      type: 'button',
      action_id: `answer-${row * PER_ROW + column}`,
      text: { type: 'plain_text', text: short(label), emoji: true },
      value: data,
    })),
  }));
  return [...sections, ...rows];
}

/** A label without any letter is refused. */
function short(label: string): string {
  const plain = label.trim() === '' ? '…' : label;
  return plain.length <= MAX_LABEL ? plain : `${plain.slice(0, MAX_LABEL - 1).toWellFormed()}…`;
}

/** Where it reads best; not through an escaped character, nor through one of two units. */
function cut(text: string): string[] {
  const parts: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const hard = rest.slice(0, MAX_SECTION);
    const whole = rest.length <= MAX_SECTION ? hard.length : hard.replace(/(&[a-z]{0,4}|[\uD800-\uDBFF])$/, '').length;
    const blank = Math.max(hard.lastIndexOf('\n'), hard.lastIndexOf(' '));
    const end = rest.length <= MAX_SECTION || blank < MAX_SECTION / 2 ? whole : blank;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return parts;
}
