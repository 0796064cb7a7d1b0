/** Texts as words that can be searched. Pure. */

export interface Word {
  /** Folded: without case, accents and ligatures. */
  word: string;
  /** Where it stands, in UTF-16 units. */
  at: number;
  end: number;
}

/** What a search asks of a text. */
export interface Wanted {
  /** One after the other. */
  words: readonly string[];
  /** The last one is only the beginning of a word. */
  isBeginning: boolean;
}

const PICTURE = String.raw`\p{Extended_Pictographic}`;
/** Scripts that put no blank between words: each sign is a word here, and several of them are searched as a phrase. */
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const SPACED = String.raw`(?![${UNSPACED}])[\p{L}\p{N}]`;
const WORD = new RegExp(`${PICTURE}|[${UNSPACED}]\\p{M}*|(?:${SPACED}\\p{M}*)+|\\p{Regional_Indicator}{2}`, 'gu');
/** Of a word: what is longer is no word, and would only make the index bigger. */
const MOST = 40;

export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(WORD), ({ 0: found, index }) => ({
    word: fold(found),
    at: index,
    end: index + found.length,
  })).filter(({ word }) => word !== '');
}

/** One text, words apart, as the index takes it. */
export function folded(text: string): string {
  return wordsOf(text)
    .map(({ word }) => word)
    .join(' ');
}

const PLAIN = /^[a-z0-9]*$/;
/** Accents, and the points of Hebrew and Arabic. The vowel signs of other scripts are no less than letters. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f]/g;
/** A sign may fall apart into several, some of which are no letters. */
const OTHERS = new RegExp(`[^\\p{L}\\p{N}\\p{M}${PICTURE}\\p{Regional_Indicator}]`, 'gu');

function fold(word: string): string {
  const lower = word.toLowerCase();
  if (PLAIN.test(lower)) return lower.slice(0, MOST);
  const plain = lower.normalize('NFKD').replaceAll(ACCENTS, '').normalize('NFC').replaceAll('ß', 'ss');
  return plain.toLowerCase().replaceAll(OTHERS, '').slice(0, MOST).toWellFormed();
}

/** The longest search; more says no more. */
const MOST_WANTED = 12;
/** Shorter, too much begins with it. */
const LEAST_BEGINNING = 3;

/**
 * `zürich "last train" invoic*`: all of it must be there, in any order; words between quotes one after the other, one before
 * a star as a beginning. Every other sign only parts words.
 */
export function readSearch(text: string): Wanted[] {
  const pieces = Array.from(text.matchAll(/"([^"]*)"?|[^\s"]+/g), ([whole, quoted]) => quoted ?? whole);
  return pieces.slice(0, MOST_WANTED).flatMap((piece) => {
    const words = wordsOf(piece).map(({ word }) => word);
    const last = words.at(-1) ?? '';
    if (words.length === 0) return [];
    return [
      {
        words: words.slice(0, MOST_WANTED),
        isBeginning: words.length <= MOST_WANTED && piece.trimEnd().endsWith('*') && last.length >= LEAST_BEGINNING,
      },
    ];
  });
}

const SHOWN_BEFORE = 80;
const SHOWN = 300;

/** The part of a text where the first of it stands, on one line. */
export function excerpt(text: string, wanted: readonly Wanted[]): string {
  const firsts = wanted.flatMap(({ words: [first = ''], ...rest }) => ({ first, isBeginning: rest.isBeginning }));
  const hit = wordsOf(text).find(({ word }) =>
    firsts.some(({ first, isBeginning }) => word === first || (isBeginning && word.startsWith(first))),
  );
  const from = Math.max(0, text.length <= SHOWN ? 0 : (hit?.at ?? 0) - SHOWN_BEFORE);
  const part = text.slice(from, from + SHOWN).toWellFormed();
  const line = part.replaceAll(/\s+/g, ' ').trim();
  return `${from > 0 ? '…' : ''}${line}${from + SHOWN < text.length ? '…' : ''}`;
}
