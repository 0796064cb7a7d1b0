/**
 * @import { Block, Inline } from './types.d.ts'
 * Markdown as models write it, read into a tree. No HTML: `<b>` is three characters. Every loop goes forward, so that
 * no text takes long.
 */

const MAX_DEPTH = 6;
const MAX_LINK_TEXT = 1_000;
const MAX_LINK = 2_000;

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,9})([-*+]|\d{1,9}[.)])([ \t]+)(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** @param {string} text @returns {Block[]} */
export function parse(text) {
  return blocks(text.replaceAll('\r\n', '\n').split('\n'), 0);
}

/** @param {string[]} lines @param {number} depth @returns {Block[]} */
function blocks(lines, depth) {
  /** @type {Block[]} */
  const found = [];
  /** @type {string[]} */
  let words = [];
  const endWords = () => {
    if (words.length > 0) found.push({ type: 'p', children: parseInline(words.join('\n')) });
    words = [];
  };
  /** @param {Block} block */
  const add = (block) => {
    endWords();
    found.push(block);
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (line.trim() === '') {
      endWords();
      at += 1;
    } else if (fence) {
      const mark = fence[1] ?? '';
      let end = at + 1;
      while (end < lines.length && !closes(lines[end] ?? '', mark)) end += 1;
      add({ type: 'code', language: fence[2] ?? '', text: lines.slice(at + 1, end).join('\n') });
      at = end + 1;
    } else if (heading) {
      add({ type: 'heading', level: heading[1]?.length ?? 1, children: parseInline(heading[2] ?? '') });
      at += 1;
    } else if (RULE.test(line)) {
      add({ type: 'rule' });
      at += 1;
    } else if (QUOTE.test(line) && depth < MAX_DEPTH) {
      let end = at;
      while (end < lines.length && QUOTE.test(lines[end] ?? '')) end += 1;
      const inner = lines.slice(at, end).map((one) => one.replace(QUOTE, ''));
      add({ type: 'quote', children: blocks(inner, depth + 1) });
      at = end;
    } else if (ITEM.test(line) && depth < MAX_DEPTH) {
      const [block, end] = list(lines, at, depth);
      add(block);
      at = end;
    } else if (line.includes('|') && DIVIDER.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-')) {
      let end = at + 2;
      while (end < lines.length && (lines[end] ?? '').includes('|')) end += 1;
      const head = cells(line);
      if (cells(lines[at + 1] ?? '').length === head.length) {
        const rows = lines.slice(at + 2, end).map((one) => cells(one).slice(0, head.length));
        add({
          type: 'table',
          head: head.map((one) => parseInline(one)),
          rows: rows.map((row) => row.map((one) => parseInline(one))),
        });
        at = end;
      } else {
        words.push(line);
        at += 1;
      }
    } else {
      words.push(line);
      at += 1;
    }
  }
  endWords();
  return found;
}

/** @param {string} line @param {string} mark */
function closes(line, mark) {
  const plain = line.trim();
  return plain.length >= mark.length && plain === (mark[0] ?? '').repeat(plain.length);
}

/** @param {string[]} lines @param {number} from @param {number} depth @returns {[Block, number]} */
function list(lines, from, depth) {
  const first = ITEM.exec(lines[from] ?? '');
  const margin = first?.[1]?.length ?? 0;
  const ordered = /\d/.test(first?.[2] ?? '');
  /** @type {string[][]} */
  const items = [];
  let indent = 0;
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const item = ITEM.exec(line);
    const spaces = line.length - line.trimStart().length;
    if (item && spaces <= margin + 1) {
      if (/\d/.test(item[2] ?? '') !== ordered || spaces < margin) break;
      indent = spaces + (item[2]?.length ?? 1) + 1;
      items.push([item[4] ?? '']);
    } else if (line.trim() === '') {
      const next = lines[at + 1] ?? '';
      const goesOn = next.startsWith(' '.repeat(margin + 2)) || isItemAt(next, margin, ordered);
      if (!goesOn) break;
      items.at(-1)?.push('');
    } else if (spaces > margin) {
      items.at(-1)?.push(line.slice(Math.min(spaces, indent)));
    } else if (lines[at - 1]?.trim() === '' || QUOTE.test(line) || FENCE.test(line) || HEADING.test(line)) {
      break;
    } else {
      items.at(-1)?.push(line);
    }
  }
  const start = ordered ? Number.parseInt(first?.[2] ?? '1', 10) : 1;
  return [{ type: 'list', ordered, start, items: items.map((item) => blocks(item, depth + 1)) }, at];
}

/** @param {string} line @param {number} margin @param {boolean} ordered */
function isItemAt(line, margin, ordered) {
  const item = ITEM.exec(line);
  return item !== null && (item[1]?.length ?? 0) <= margin + 1 && /\d/.test(item[2] ?? '') === ordered;
}

/** @param {string} line */
function cells(line) {
  const plain = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return plain.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** @param {string} text @param {number} [depth] @returns {Inline[]} */
export function parseInline(text, depth = 0) {
  /** @type {Inline[]} */
  const found = [];
  /** Marks that are known to have no partner from here on. @type {Set<string>} */
  const alone = new Set();
  let plain = '';
  /** @param {Inline} inline */
  const add = (inline) => {
    if (plain !== '') found.push({ type: 'text', text: plain });
    plain = '';
    found.push(inline);
  };
  let at = 0;
  while (at < text.length) {
    const here = /** @type {string} */ (text[at]);
    const taken = depth < MAX_DEPTH ? (special(text, at, here, alone, depth) ?? undefined) : undefined;
    if (taken) {
      add(taken[0]);
      at = taken[1];
    } else if (here === '\n') {
      add({ type: 'br' });
      at += 1;
    } else if (here === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
    } else {
      const run = /[*_~`]/.test(here) ? lengthOf(text, at, here) : 1;
      plain += text.slice(at, at + run);
      at += run;
    }
  }
  if (plain !== '') found.push({ type: 'text', text: plain });
  return found;
}

/** @param {string} text @param {number} at @param {string} mark */
function lengthOf(text, at, mark) {
  let end = at;
  while (text[end] === mark) end += 1;
  return end - at;
}

/**
 * @param {string} text @param {number} at @param {string} here @param {Set<string>} alone @param {number} depth
 * @returns {[Inline, number] | undefined}
 */
function special(text, at, here, alone, depth) {
  if (here === '`') return code(text, at, alone);
  if (here === '*' || here === '_' || here === '~') return emphasis(text, at, here, alone, depth);
  if (here === '[') return link(text, at, depth);
  if (here === '<' || here === 'h') return bareLink(text, at);
  return undefined;
}

/** @param {string} text @param {number} at @param {Set<string>} alone @returns {[Inline, number] | undefined} */
function code(text, at, alone) {
  const mark = '`'.repeat(lengthOf(text, at, '`'));
  if (alone.has(mark)) return undefined;
  let end = text.indexOf(mark, at + mark.length);
  while (end >= 0 && lengthOf(text, end, '`') !== mark.length) end = text.indexOf(mark, end + lengthOf(text, end, '`'));
  if (end < 0) {
    alone.add(mark);
    return undefined;
  }
  const inside = text.slice(at + mark.length, end).replaceAll('\n', ' ');
  const isPadded = inside.startsWith(' ') && inside.endsWith(' ') && inside.trim() !== '';
  return [{ type: 'code', text: isPadded ? inside.slice(1, -1) : inside }, end + mark.length];
}

const WORD = /[\p{L}\p{N}]/u;

/**
 * @param {string} text @param {number} at @param {string} here @param {Set<string>} alone @param {number} depth
 * @returns {[Inline, number] | undefined}
 */
function emphasis(text, at, here, alone, depth) {
  const run = lengthOf(text, at, here);
  if (run > 3 || (here === '~' && run !== 2)) return undefined;
  const mark = here.repeat(run);
  const after = text[at + run];
  if (alone.has(mark) || after === undefined || /\s/.test(after)) return undefined;
  if (here === '_' && WORD.test(text[at - 1] ?? '')) return undefined;
  let end = text.indexOf(mark, at + run);
  while (end >= 0 && !closesEmphasis(text, end, here, run)) end = text.indexOf(mark, end + lengthOf(text, end, here));
  if (end < 0) {
    alone.add(mark);
    return undefined;
  }
  const children = parseInline(text.slice(at + run, end), depth + 1);
  if (here === '~') return [{ type: 'del', children }, end + run];
  if (run === 3) return [{ type: 'strong', children: [{ type: 'em', children }] }, end + run];
  return [{ type: run === 2 ? 'strong' : 'em', children }, end + run];
}

/** @param {string} text @param {number} at @param {string} here @param {number} run */
function closesEmphasis(text, at, here, run) {
  if (lengthOf(text, at, here) !== run || /\s/.test(text[at - 1] ?? ' ')) return false;
  return here !== '_' || !WORD.test(text[at + run] ?? '');
}

/** @param {string} text @param {number} at @param {number} depth @returns {[Inline, number] | undefined} */
function link(text, at, depth) {
  const middle = text.slice(at, at + MAX_LINK_TEXT).indexOf('](');
  if (middle < 2) return undefined;
  const words = text.slice(at + 1, at + middle);
  if (words.includes('\n\n') || words.includes('[')) return undefined;
  const rest = text.slice(at + middle + 2, at + middle + 2 + MAX_LINK);
  const target = /^<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:[ \t]+"[^"\n]*")?\)/.exec(rest);
  const href = target && safeLink(target[1] ?? '');
  if (!target || !href) return undefined;
  return [{ type: 'link', href, children: parseInline(words, depth + 1) }, at + middle + 2 + target[0].length];
}

/** @param {string} text @param {number} at @returns {[Inline, number] | undefined} */
function bareLink(text, at) {
  if (WORD.test(text[at - 1] ?? '')) return undefined;
  const isMarked = text[at] === '<';
  const rest = text.slice(at + (isMarked ? 1 : 0), at + MAX_LINK);
  if (!/^(https?:\/\/|mailto:)/i.test(rest)) return undefined;
  const found = /^[^\s<>"]+/.exec(rest)?.[0] ?? '';
  const shown = isMarked ? found : found.replace(/[.,;:!?'*_~)\]}]+$/, (end) => keepBalanced(found, end));
  if (isMarked && rest[shown.length] !== '>') return undefined;
  const href = safeLink(shown);
  if (!href) return undefined;
  return [{ type: 'link', href, children: [{ type: 'text', text: shown }] }, at + shown.length + (isMarked ? 2 : 0)];
}

/** A bracket that was opened in the address belongs to it. @param {string} whole @param {string} end */
function keepBalanced(whole, end) {
  return end.startsWith(')') && whole.includes('(') ? ')' : '';
}

/** @param {string} href @returns {string | undefined} */
export function safeLink(href) {
  if (!/^(?:https?:\/\/|mailto:)[^\s\p{Cc}\p{Cf}]+$/iu.test(href)) return undefined;
  const url = URL.parse(href);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol) && !url.username ? url.href : undefined;
}
