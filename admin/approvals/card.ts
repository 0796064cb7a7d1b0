import { cleanText } from '@nanoclaw/protocol';
import type { Card } from '../../src/channels/adapter.ts';
import type { Approval, Option } from './table.ts';

/** What an approval looks like to those who are asked. Pure. */

const MAX_BODY = 2_000;
const MAX_QUOTE = 300;
/** Rows of buttons that a phone can show; the rest is chosen by text. */
const MAX_BUTTONS = 10;

/** On one line, without anything that can't be seen or that turns the reading direction; what is cut is seen to be cut. */
export function inline(text: string, max = 60): string {
  const [line, rest] = cut(visible(text).replaceAll(/\s+/g, ' ').trim(), max);
  return rest > 0 ? `${line}…` : line;
}

/** Somebody's words, marked line by line, so that they can't pose as ours. */
export function quote(text: string, max = MAX_QUOTE): string {
  const [part, rest] = cut(visible(text).trim(), max);
  const lines = part.split(/\s*\n\s*/).map((line) => `> ${line}`);
  return [...lines, ...(rest > 0 ? [`> … (${rest} more characters)`] : [])].join('\n');
}

/** All that will be done. What is too long loses its middle, and says so. */
export function bodyText(text: string): string {
  const clean = visible(text);
  if (clean.length <= MAX_BODY) return clean;
  const [start] = cut(clean, MAX_BODY / 2);
  const end = clean.slice(-MAX_BODY / 2).toWellFormed();
  return `${start}\n… (${clean.length - MAX_BODY} characters are not shown: \`ncl approvals get\` shows all) …\n${end}`;
}

/** Without what can’t be seen or turns the reading direction; line breaks stay. */
export function visible(text: string): string {
  return cleanText(text).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => (/[\n\t]/.test(mark) ? mark : ''));
}

function cut(text: string, max: number): [string, number] {
  // Not between the halves of a character.
  const end = text.length > max && /[\uD800-\uDBFF]/.test(text.charAt(max - 1)) ? max - 1 : Math.min(max, text.length);
  return [text.slice(0, end), text.length - end];
}

/** Of the time in an id, and enough behind it for those of one millisecond. */
const SHORT = 12;

/** As people write it: without what every id begins with. */
export function shortId(id: string): string {
  return id.replace(/^appr-/, '').slice(0, SHORT);
}

export function cardOf({ id, title, body, options }: Approval): { text: string; card: Card } {
  const unseen = options.slice(MAX_BUTTONS);
  return {
    text: [title, '', bodyText(body), '', numbered(options), howTo(id, options)].join('\n'),
    card: {
      title,
      body: [
        bodyText(body),
        ...(unseen.length > 0 ? ['', numbered(unseen, MAX_BUTTONS), howTo(id, options)] : []),
      ].join('\n'),
      buttons: options.slice(0, MAX_BUTTONS).map(({ label }, index) => ({ data: `a:${id}:${index}`, label })),
    },
  };
}

function numbered(options: readonly Option[], from = 0): string {
  return options.map(({ label }, index) => `${from + index + 1}. ${label}`).join('\n');
}

function howTo(id: string, options: readonly Option[]): string {
  const which = options.filter(({ does }) => does !== 'deny').length > 1 ? ' <number>' : '';
  return `Answer with /approve ${shortId(id)}${which} or /deny ${shortId(id)}`;
}

/** What became of it. `who`: the name of whoever decided. */
export function outcomeText({ id, status, options, decision, result }: Approval, who: string): string {
  const label = options[decision ?? -1]?.label ?? '';
  // Without a choice nobody has decided: it came about otherwise.
  const chosen = (sentence: string) => (decision === null ? [] : [sentence]);
  switch (status) {
    case 'pending':
      return 'Nobody has decided this yet.';
    case 'naming':
      return `✏️ ${who} chose “${label}”; its name comes next, or /deny ${shortId(id)}.`;
    case 'approved':
      return ['✅', ...chosen(`${who} allowed it.`), result].filter(Boolean).join(' ');
    case 'denied':
      return ['🚫', ...chosen(`${who} refused it.`), result].filter(Boolean).join(' ');
    case 'expired':
      return `⌛ ${result || 'Nobody decided this in time, and it was let go.'}`;
    case 'failed':
      return `⚠️ ${who} chose “${label}”, but it could not be done: ${result ?? ''}`.trim();
  }
}

const DATA = /^a:(appr-[a-z0-9]{1,32}):(\d{1,3})$/;

/** What a pressed button says. */
export function readData(data: string): { id: string; option: number } | undefined {
  const [, id, option] = DATA.exec(data) ?? [];
  return id === undefined ? undefined : { id, option: Number(option) };
}
