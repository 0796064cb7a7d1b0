import { cleanText, truncateBytes } from '@nanoclaw/protocol';

/** What an agent is told of what people did to something that was said. Pure; everything given is untrusted. */

const LONGEST_NAME = 64;
const LONGEST_QUOTE = 80;
const LONGEST_EMOJI = 64;
const MAX_TOLD_BYTES = 16 * 1024;

export function changedNote(sender: string, seq: number, text: string): string {
  const shown = truncateBytes(text, MAX_TOLD_BYTES);
  const cut = shown.length < text.length ? '… (the rest is not shown)' : '';
  return `${nameOf(sender)} changed message ${seq} after you had read it. It says now: “${shown}${cut}”`;
}

export function deletedNote(sender: string, seq: number): string {
  return `Message ${seq} of ${nameOf(sender)} was deleted after you had read it.`;
}

/** `seq`: of somebody's message; undefined: of the agent's own. */
export function reactedNote(who: string, emoji: string, seq: number | undefined, text: string): string {
  const on = seq === undefined ? 'your message' : `message ${seq}`;
  return `${nameOf(who)} reacted with ${emojiOf(emoji)} to ${on} “${short(inline(text), LONGEST_QUOTE)}”.`;
}

export function emojiOf(emoji: string): string {
  return short(inline(emoji), LONGEST_EMOJI);
}

/** A chat's name as it is kept; undefined: nothing of it can be shown. */
export function chatNameOf(name: string | undefined): string | undefined {
  const shown = short(inline((name ?? '').normalize('NFC')), LONGEST_NAME);
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(shown) ? shown : undefined;
}

function nameOf(name: string): string {
  return short(inline(name), LONGEST_NAME);
}

/** On one line, without what hides or turns other text; the joiners of emoji and of some scripts stay. */
function inline(text: string): string {
  return cleanText(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim();
}

function short(text: string, most: number): string {
  const all = [...text];
  return all.length <= most ? text : `${all.slice(0, most - 1).join('')}…`;
}
