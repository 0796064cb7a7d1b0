import { cleanText, MAX_DRAFT_BYTES, truncateBytes } from '@nanoclaw/protocol';
import { stripInternal } from './internal.ts';

/** A block for elsewhere may begin here: in code, too, since nobody knows yet whether that is code to its end. */
const BLOCK = /<message(?=[\s>])/i;
/** What may become one of our tags, also together with what comes after a tag between that is taken out. */
const UNFINISHED = /(?:<\/?(?:i(?:n(?:t(?:e(?:r(?:n(?:al?)?)?)?)?)?)?|m(?:e(?:s(?:s(?:a(?:ge?)?)?)?)?)?)?)+$/i;

/**
 * How much of a text that is still being written may be shown: what will surely be for where it was asked, whatever comes.
 * That ends at the first block for elsewhere.
 */
export function readPartial(text: string): string {
  const shown = stripInternal(cleanText(text));
  const own = truncateBytes(shown.slice(0, indexOf(shown, BLOCK)), MAX_DRAFT_BYTES);
  return own.slice(0, indexOf(own, UNFINISHED)).trim();
}

function indexOf(text: string, pattern: RegExp): number | undefined {
  const at = text.search(pattern);
  return at < 0 ? undefined : at;
}
