/**
 * What an agent writes in Markdown, as Slack's mrkdwn. `&`, `<` and `>` are escaped everywhere, so that nothing an agent (or
 * somebody whom it quotes) writes can call a person, a group or the whole channel. Pure.
 * https://docs.slack.dev/messaging/formatting-message-text
 */

/** Opens and closes a mark beside letters, where Slack would leave it as it is. */
const JOINER = '\u200B';
const DEEPEST = 4;

export function toMrkdwn(markdown: string): string {
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  const blocks: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const [text, used] = block(lines, at);
    blocks.push(text);
    at += used;
  }
  return blocks.join('\n');
}

/** The only three characters that mean something to Slack. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The block that begins there, and how many lines it takes. */
function block(lines: readonly string[], at: number): [string, number] {
  const line = lines[at] ?? '';
  const [, marker] = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line) ?? [];
  if (marker) return fenced(lines, at, marker);
  const [, quoted] = /^ {0,3}> ?(.*)$/.exec(line) ?? [];
  if (quoted !== undefined) return [`> ${spans(quoted, 0)}`, 1];
  // A table's columns stand under each other in one width of letters alone.
  if (isRow(line) && isRow(lines[at + 1] ?? '') && /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(lines[at + 1] ?? '')) {
    const end = lines.findIndex((one, index) => index > at && !isRow(one));
    const rows = lines.slice(at, end === -1 ? lines.length : end);
    return [`\`\`\`\n${code(rows.join('\n'))}\n\`\`\``, rows.length];
  }
  const [, heading] = /^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/.exec(line) ?? [];
  if (heading !== undefined) return [wrapped('*', spans(heading.replaceAll(/\*\*|__/g, ''), DEEPEST - 1)), 1];
  const [, indent, item] = /^(\s*)[-*+] +(.*)$/.exec(line) ?? [];
  if (item !== undefined && !/^\s*([-*])(\s*\1){2,}\s*$/.test(line)) return [`${indent}• ${spans(item, 0)}`, 1];
  return [spans(line, 0), 1];
}

function fenced(lines: readonly string[], at: number, marker: string): [string, number] {
  const closing = lines.findIndex((line, index) => {
    const text = line.trim();
    return index > at && text.startsWith(marker) && text === (marker[0] ?? '').repeat(text.length);
  });
  const end = closing === -1 ? lines.length : closing;
  const inside = lines.slice(at + 1, end).join('\n');
  return [inside.trim() === '' ? '' : `\`\`\`\n${code(inside)}\n\`\`\``, end - at + (closing === -1 ? 0 : 1)];
}

/** A fence inside would end it. */
function code(text: string): string {
  return escapeText(text).replaceAll('```', `\`\`${JOINER}\``);
}

function isRow(line: string): boolean {
  return line.includes('|') && line.trim() !== '';
}

function wrapped(mark: string, text: string): string {
  return text.trim() === '' ? text : `${mark}${text.trim()}${mark}`;
}

/** Tried at each place, in this order. The bounds keep a text of nothing but marks from costing its square. */
const MARKS: readonly [RegExp, (match: RegExpExecArray, depth: number) => string | undefined][] = [
  [
    /(`+)([^`]|[^`][^\n]{0,2000}?[^`])\1(?!`)/y,
    ([whole, , text = '']) =>
      text.includes('`') || text.trim() === '' ? escapeText(whole) : `\`${escapeText(text)}\``,
  ],
  [/\\([\\`*_{}[\]()#+\-.!~|>])/y, ([, mark = '']) => escapeText(mark)],
  [
    /!?\[([^\]\n]{1,500})\]\(<?([^()\s<>]{1,1500}(?:\([^()\s<>]{0,200}\)[^()\s<>]{0,500})?)>?(?:\s+"[^"\n]{0,200}")?\)/y,
    link,
  ],
  [/<?(https?:\/\/[^\s<>|]{1,2000})>?/y, bare],
  [/\*\*\*(?=\S)([^\n]{1,2000}?\S)\*\*\*(?!\*)/y, ([, text = ''], depth) => `*_${spans(text, depth)}_*`],
  [/\*\*(?=\S)([^\n]{0,2000}?\S)\*\*(?!\*)/y, ([, text = ''], depth) => `*${spans(text, depth)}*`],
  [/__(?=\S)([^\n]{0,2000}?\S)__(?![\p{L}\p{N}_])/uy, ([, text = ''], depth) => `*${spans(text, depth)}*`],
  [/~~(?=\S)([^\n]{0,2000}?\S)~~/y, ([, text = ''], depth) => `~${spans(text, depth)}~`],
  [/\*(?=[^\s*])([^\n*]{0,2000}?[^\s*])\*(?!\*)/y, ([, text = ''], depth) => `_${spans(text, depth)}_`],
  [/_(?=[^\s_])([^\n_]{0,2000}?[^\s_])_(?![\p{L}\p{N}_])/uy, ([, text = ''], depth) => `_${spans(text, depth)}_`],
];

function spans(text: string, depth: number): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const found = depth < DEEPEST ? markAt(text, at, depth) : undefined;
    if (found) {
      // Slack sees a mark at the edge of a word alone.
      const isGlued = /^[*_~]/.test(found.text) && /[\p{L}\p{N}]$/u.test(result);
      const isFollowed =
        /[*_~]$/.test(found.text) && /^[\p{L}\p{N}]/u.test(text.slice(at + found.length, at + found.length + 2));
      result += `${isGlued ? JOINER : ''}${found.text}${isFollowed ? JOINER : ''}`;
      at += found.length;
      continue;
    }
    // Up to where the next mark could begin.
    const plain = /[^\\`*_~[!<h]+/y;
    plain.lastIndex = at;
    const piece = plain.exec(text)?.[0] ?? text.charAt(at);
    result += escapeText(piece);
    at += piece.length;
  }
  return result;
}

function markAt(text: string, at: number, depth: number): { text: string; length: number } | undefined {
  // snake_case and 2*3*4 are words, not marks.
  const isInWord = /[\p{L}\p{N}_]/u.test(text.charAt(at - 1));
  if (isInWord && /^(_|\*(?!\*))/.test(text.slice(at, at + 2))) return undefined;
  for (const [pattern, render] of MARKS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const rendered = match ? render(match, depth + 1) : undefined;
    if (match && rendered !== undefined) return { text: rendered, length: match[0].length };
  }
  return undefined;
}

/** A link of another scheme is shown as it was written. */
function link([, label = '', url = '']: RegExpExecArray): string | undefined {
  return /^(https?:\/\/|mailto:)/i.test(url)
    ? `<${address(url)}|${escapeText(label).replaceAll('|', '¦')}>`
    : undefined;
}

function bare([whole, url = '']: RegExpExecArray): string {
  const [, kept = url, tail = ''] = whole.startsWith('<') ? [] : (/^(.*?)([).,;:!?'"*_~`\]]*)$/.exec(url) ?? []);
  return `<${address(kept)}>${escapeText(tail)}`;
}

/** The bar would end it. */
function address(url: string): string {
  return escapeText(url).replaceAll('|', '%7C');
}
