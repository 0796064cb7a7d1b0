import { cleanText } from '@nanoclaw/protocol';

const MAX_NAME = 80;

/** On one line, without what can't be seen or turns the reading direction; undefined when nothing is left. Pure. */
export function tidy(name: string | undefined): string | undefined {
  const visible = cleanText(name ?? '')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return visible === '' ? undefined : visible.slice(0, MAX_NAME).toWellFormed();
}
