/** What a model's text consists of: text for where it was asked, and blocks for elsewhere. */
export interface Blocks {
  /** Everything outside of blocks, piece by piece, trimmed, none of them empty. */
  own: string[];
  blocks: { to: string; text: string }[];
  /** Blocks that can't be read, with what is wrong. */
  broken: { text: string; problem: string }[];
}

/** More than any answer needs; it bounds the work on a hostile or broken text. */
const MAX_BLOCKS = 50;
const OPENER = /<message((?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*)\s*>/iy;
const TO = /\sto\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))/i;
/** A fence at the beginning of a line, a run of backticks, or something like one of our tags. */
const TOKEN = /(?<=^ {0,3})(?<fence>`{3,}|~{3,})|(?<ticks>`+)|(?<open><message(?=[\s>]))|(?<close><\/message\s*>)/gim;
/** How far the end of an inline code span is looked for. */
const SPAN = 2000;

interface Tag {
  type: 'open' | 'close' | 'broken';
  start: number;
  end: number;
  to: string;
}

/** Reads `<message to="name">…</message>`. Tags within code are text. Never throws. */
export function readBlocks(text: string): Blocks {
  const result: Blocks = { own: [], blocks: [], broken: [] };
  let at = 0;
  while (at < text.length) {
    const tag = firstOpener(text, at);
    addOwn(result, text.slice(at, tag?.start));
    if (!tag) break;
    const count = result.blocks.length + result.broken.length;
    const close = findClose(text, tag.end, true) ?? findClose(text, tag.end, false);
    const body = text.slice(tag.end, close?.start).trim();
    // What was meant for the inside may stand in the tag.
    if (tag.type === 'broken')
      result.broken.push({
        text: text.slice(tag.start, close?.start).trim(),
        problem: 'the opening tag can not be read',
      });
    else if (!close) result.broken.push({ text: body, problem: 'the block is never closed' });
    else if (count >= MAX_BLOCKS)
      result.broken.push({ text: text.slice(tag.start), problem: 'there are too many blocks' });
    else if (body !== '') result.blocks.push({ to: tag.to, text: body });
    if (count >= MAX_BLOCKS) break;
    at = close?.end ?? text.length;
  }
  return result;
}

function addOwn(result: Blocks, piece: string): void {
  const trimmed = piece.trim();
  if (trimmed !== '') result.own.push(trimmed);
}

function firstOpener(text: string, from: number): Tag | null {
  for (const tag of tags(text, from, true)) if (tag.type !== 'close') return tag;
  return null;
}

/** The end of a block whose body begins at `from`. With `heedCode`, tags within code don't count. */
function findClose(text: string, from: number, heedCode: boolean): Tag | null {
  let depth = 1;
  for (const tag of tags(text, from, heedCode)) {
    if (tag.type === 'open') depth++;
    else if (tag.type === 'close' && --depth === 0) return tag;
  }
  return null;
}

function* tags(whole: string, from: number, heedCode: boolean): Generator<Tag> {
  // Cut, so that the first character counts as the beginning of a line.
  const text = whole.slice(from);
  const token = new RegExp(TOKEN);
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const { fence, ticks, open } = match.groups ?? {};
    const end = match.index + match[0].length;
    if (fence !== undefined) {
      if (heedCode) token.lastIndex = endOfFence(text, end, fence);
    } else if (ticks !== undefined) {
      if (heedCode) token.lastIndex = endOfSpan(text, end, ticks);
    } else if (open !== undefined) {
      const tag = readOpener(text, match.index);
      if (!tag) continue;
      token.lastIndex = tag.end;
      yield { ...tag, start: from + tag.start, end: from + tag.end };
    } else {
      yield { type: 'close', start: from + match.index, end: from + end, to: '' };
    }
  }
}

/** Null for a tag that names no receiver: then it is a word about messages, and text. */
function readOpener(text: string, start: number): Tag | null {
  OPENER.lastIndex = start;
  const match = OPENER.exec(text);
  if (match) {
    const to = TO.exec(match[1] ?? '');
    if (!to) return null;
    return { type: 'open', start, end: OPENER.lastIndex, to: decode(to[1] ?? to[2] ?? to[3] ?? '') };
  }
  const line = text.slice(start, start + 200).split('\n', 1)[0] ?? '';
  if (!/^<message\s+to\b/i.test(line)) return null;
  const bracket = line.indexOf('>');
  return { type: 'broken', start, end: start + (bracket < 0 ? line.length : bracket + 1), to: '' };
}

function endOfFence(text: string, from: number, fence: string): number {
  // A line like ```this``` is a span.
  const line = text.slice(from, from + SPAN).split('\n', 1)[0] ?? '';
  if (fence.startsWith('`') && line.includes('`')) return endOfSpan(text, from, fence);
  const close = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \\t]*\\r?$`, 'gm');
  close.lastIndex = from;
  return close.exec(text) ? close.lastIndex : text.length;
}

/** A span ends at a run of the same length on the same line; where there is none, the ticks are just ticks. */
function endOfSpan(text: string, from: number, ticks: string): number {
  const line = text.slice(from, from + SPAN).split('\n', 1)[0] ?? '';
  for (const run of line.matchAll(/`+/g)) if (run[0].length === ticks.length) return from + run.index + run[0].length;
  return from;
}

function decode(text: string): string {
  const names: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => names[name] ?? '').trim();
}
