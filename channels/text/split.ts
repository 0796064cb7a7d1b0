/**
 * Cuts a text to what a platform takes in one message, where it reads best. A code fence that a cut goes through is closed
 * and opened again with its language; links, emoji and other characters of several units stay whole. Pure.
 */

export interface TextLimit {
  length: number;
  unit: 'utf16' | 'bytes';
}

export interface Part {
  text: string;
  /** Where the next one begins, in UTF-16 units of the whole. */
  end: number;
}

interface Fence {
  /** Of the line that opens it. */
  start: number;
  marker: string;
  opener: string;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\r\n]*)\r?$/;
/** Bounded, so that a text of brackets costs no more than any other. */
const LINK = /\[[^\]\n]{0,300}\]\([^)\s]{1,1000}\)|https?:\/\/[^\s<>[\]]{1,1000}/g;
const LONGEST_LINK = 1_400;

export function split(text: string, limit: TextLimit): string[] {
  const parts: string[] = [];
  for (let from = 0; ; ) {
    const part = nextPart(text, from, limit);
    if (!part) return parts;
    parts.push(part.text);
    from = part.end;
  }
}

/** The part that begins at `from`; undefined when nothing is left. */
export function nextPart(text: string, from: number, limit: TextLimit): Part | undefined {
  const begun = beginning(text, from);
  const { start } = begun;
  if (text.slice(start).trim() === '') return undefined;
  const size = sizer(limit.unit);
  const fence =
    begun.fence && size(`${begun.fence.opener}\n\n${begun.fence.marker}`) <= limit.length / 2 ? begun.fence : undefined;
  const prefix = fence ? `${fence.opener}\n` : '';
  const rest = text.slice(start);
  if (size(prefix) + size(rest) <= limit.length) return { text: prefix + rest.trimEnd(), end: text.length };

  const roomy = advance(text, start, limit.length - size(prefix), size);
  const inside = fencesIn(text, start, roomy, begun.fence);
  const longest = Math.max(
    0,
    ...[...(fence ? [fence] : []), ...inside.opened].map(({ marker }) => size(`\n${marker}`)),
  );
  const keepsFences = longest <= limit.length / 4;
  const hard = keepsFences ? advance(text, start, limit.length - size(prefix) - longest, size) : roomy;
  const end = bestCut(text, start, hard, begun.fence, limit);
  const open = keepsFences ? fencesIn(text, start, end, begun.fence).open : undefined;
  const closes = open && (open !== begun.fence || fence) ? `\n${open.marker}` : '';
  return { text: prefix + text.slice(start, end).trimEnd() + closes, end };
}

/** Without what would stand at the top of a message for nothing: empty lines, and the end of a fence closed already. */
function beginning(text: string, from: number): { start: number; fence: Fence | undefined } {
  const { open } = fencesIn(text, 0, from, undefined);
  let start = from;
  if (from === 0) return { start, fence: undefined };
  while (text[start] === '\n' && !open) start += 1;
  if (!open) return { start, fence: undefined };
  const line = lineAt(text, start);
  if ((start === 0 || text[start - 1] === '\n') && closes(line, open)) {
    start += line.length;
    while (text[start] === '\n') start += 1;
    return { start, fence: undefined };
  }
  return { start, fence: open };
}

/** What is opened between the two places, and what of it, or of `before`, is open still at the second. Whole lines alone count. */
function fencesIn(text: string, from: number, to: number, before: Fence | undefined) {
  const opened: Fence[] = [];
  let open = before;
  let at = from === 0 || text[from - 1] === '\n' ? from : after(text, from);
  while (at < to) {
    const line = lineAt(text, at);
    if (at + line.length > to) break;
    if (open) {
      if (closes(line, open)) open = undefined;
    } else {
      const [, marker, info = ''] = FENCE.exec(line) ?? [];
      if (marker) {
        open = { start: at, marker, opener: marker + (/^\S{1,24}(?=\s|$)/.exec(info.trim())?.[0] ?? '') };
        opened.push(open);
      }
    }
    at += line.length + 1;
  }
  return { opened, open };
}

function closes(line: string, { marker }: Fence): boolean {
  const [, closing, info = ''] = FENCE.exec(line) ?? [];
  return closing !== undefined && info.trim() === '' && closing[0] === marker[0] && closing.length >= marker.length;
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(at, end === -1 ? text.length : end);
}

function after(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

/** Between `start` and `hard`: the end of a paragraph, a line, a sentence, a word, or else of a character. */
function bestCut(text: string, start: number, hard: number, before: Fence | undefined, limit: TextLimit): number {
  const window = text.slice(start, hard);
  // A place that leaves a message almost empty is no good place.
  const ways: [string, number, number][] = [
    ['\n\n', 2, 0.5],
    ['\n', 1, 0.3],
    ['. ', 2, 0.5],
    [' ', 1, 0.1],
  ];
  for (const [between, length, least] of ways) {
    const found = window.lastIndexOf(between);
    if (found === -1 || found + length < window.length * least) continue;
    const cut = wholeThings(text, start, start + found + length, before, limit);
    if (cut !== undefined && cut - start >= window.length * Math.min(least, 0.3)) return cut;
  }
  const character = wholeCharacter(text, start, hard);
  return wholeThings(text, start, character, before, limit) ?? character;
}

/** Moved to the front of a link, or of a fence's line, that it would go through. Undefined when nothing would be left. */
function wholeThings(
  text: string,
  start: number,
  wanted: number,
  before: Fence | undefined,
  limit: TextLimit,
): number | undefined {
  let cut = wanted;
  const near = Math.max(start, wanted - LONGEST_LINK);
  for (const match of text.slice(near, wanted + LONGEST_LINK).matchAll(LINK)) {
    const begins = near + match.index;
    if (begins < cut && begins + match[0].length > cut && sizer(limit.unit)(match[0]) <= limit.length) cut = begins;
  }
  const { open } = fencesIn(text, start, cut, before);
  if (open && open !== before && text.slice(after(text, open.start), cut).trim() === '') cut = open.start;
  const lineStart = text.lastIndexOf('\n', cut - 1) + 1;
  if (lineStart < cut && lineStart >= start && FENCE.test(lineAt(text, lineStart)) && text[cut - 1] !== '\n') {
    // The line of a fence is as long as a cut can spare.
    if (lineAt(text, lineStart).length <= limit.length / 2) cut = lineStart;
  }
  return cut > start ? cut : undefined;
}

/** The end of the last character, as people see it, that is over by then; of a code point where one is longer than all. */
function wholeCharacter(text: string, start: number, hard: number): number {
  const near = Math.max(start, hard - 64);
  let end = near;
  for (const { index, segment } of new Intl.Segmenter().segment(text.slice(near, hard + 64))) {
    if (near + index + segment.length > hard) break;
    end = near + index + segment.length;
  }
  if (end > start) return end;
  return isInsidePair(text, hard) ? Math.max(hard - 1, start + 2) : hard;
}

/** How far one gets with so much room; at least one character. */
function advance(text: string, start: number, room: number, size: (text: string) => number): number {
  let low = start;
  let high = Math.min(text.length, start + Math.max(room, 0));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (size(text.slice(start, middle)) <= room) low = middle;
    else high = middle - 1;
  }
  if (isInsidePair(text, low)) low -= 1;
  return low > start ? low : start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1);
}

function isInsidePair(text: string, at: number): boolean {
  return /[\uD800-\uDBFF]/.test(text[at - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[at] ?? '');
}

function sizer(unit: TextLimit['unit']): (text: string) => number {
  return unit === 'bytes' ? (text) => Buffer.byteLength(text) : (text) => text.length;
}
