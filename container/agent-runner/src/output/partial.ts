import { cleanText, MAX_DRAFT_BYTES, truncateBytes } from '@nanoclaw/protocol';
import { stripInternal } from './internal.ts';

/** A block for elsewhere may begin here: in code, too, since nobody knows yet whether that is code to its end. */
const BLOCK = /<message(?=[\s>])/i;
/** What may become one of our tags, also together with what comes after a tag between that is taken out. */
const UNFINISHED = /<\/?(?:i(?:n(?:t(?:e(?:r(?:n(?:al?)?)?)?)?)?)?|m(?:e(?:s(?:s(?:a(?:ge?)?)?)?)?)?)?$/i;
const LONGEST = '</internal'.length;

/**
 * How much of a text that is still being written may be shown: what will surely be for where it was asked, whatever comes.
 * That ends at the first block for elsewhere.
 */
export function readPartial(text: string): string {
  const shown = stripInternal(cleanText(text));
  const own = truncateBytes(shown.slice(0, indexOf(shown, BLOCK)), MAX_DRAFT_BYTES);
  return own.slice(0, endOfFinished(own)).trim();
}

function indexOf(text: string, pattern: RegExp): number | undefined {
  const at = text.search(pattern);
  return at < 0 ? undefined : at;
}

/** From its end: over a whole text that is full of brackets the same search would take its square. */
function endOfFinished(text: string): number {
  for (let end = text.length; ; ) {
    const from = Math.max(0, end - LONGEST);
    const at = indexOf(text.slice(from, end), UNFINISHED);
    if (at === undefined) return end;
    end = from + at;
  }
}
