/**
 * What an agent writes in Markdown, as the HTML that Telegram knows. Everything is escaped, every tag that is opened is closed,
 * and nothing that is shown is longer than it was written. Pure.
 */

export function toHtml(markdown: string): string {
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  const blocks: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const [html, used] = block(lines, at);
    blocks.push(html);
    at += used;
  }
  return blocks.join('\n');
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The block that begins there, and how many lines it takes. */
function block(lines: readonly string[], at: number): [string, number] {
  const line = lines[at] ?? '';
  const [, marker, language = ''] = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,32})[^`]*$/.exec(line) ?? [];
  if (marker) return fenced(lines, at, marker, language);
  if (/^ {0,3}> ?/.test(line)) {
    const quoted = run(lines, at, (one) => /^ {0,3}> ?/.test(one));
    return [
      `<blockquote>${quoted.map((one) => inline(one.replace(/^ {0,3}> ?/, ''))).join('\n')}</blockquote>`,
      quoted.length,
    ];
  }
  // A table's columns stand under each other in one width of letters alone.
  if (isRow(line) && /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(lines[at + 1] ?? '') && isRow(lines[at + 1] ?? '')) {
    const rows = run(lines, at, isRow);
    return [`<pre>${escapeHtml(rows.join('\n'))}</pre>`, rows.length];
  }
  const heading = /^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/.exec(line);
  if (heading?.[1]) return [`<b>${inline(heading[1].replaceAll('**', ''))}</b>`, 1];
  const item = /^(\s*)[-*+] +(.*)$/.exec(line);
  if (item && !/^\s*([-*])(\s*\1){2,}\s*$/.test(line)) return [`${item[1]}• ${inline(item[2] ?? '')}`, 1];
  return [inline(line), 1];
}

function fenced(lines: readonly string[], at: number, marker: string, language: string): [string, number] {
  const closing = lines.findIndex((line, index) => {
    const text = line.trim();
    return index > at && text.startsWith(marker) && text === (marker[0] ?? '').repeat(text.length);
  });
  const end = closing === -1 ? lines.length : closing;
  const code = escapeHtml(lines.slice(at + 1, end).join('\n'));
  const html =
    language === '' ? `<pre>${code}</pre>` : `<pre><code class="language-${escapeHtml(language)}">${code}</code></pre>`;
  // Telegram refuses what is empty.
  return [code.trim() === '' ? '' : html, end - at + (closing === -1 ? 0 : 1)];
}

function run(lines: readonly string[], at: number, belongs: (line: string) => boolean): string[] {
  const end = lines.findIndex((line, index) => index > at && !belongs(line));
  return lines.slice(at, end === -1 ? lines.length : end);
}

function isRow(line: string): boolean {
  return line.includes('|') && line.trim() !== '';
}

/** Tried at each place, in this order. The bounds keep a text of nothing but marks from costing its square. */
const MARKS: readonly [RegExp, (match: RegExpExecArray, depth: number) => string | undefined][] = [
  [/(`+)([^`]|[^`][^\n]{0,2000}?[^`])\1(?!`)/y, ([, , code = '']) => `<code>${escapeHtml(code)}</code>`],
  [/\\([\\`*_{}[\]()#+\-.!~|>])/y, ([, mark = '']) => escapeHtml(mark)],
  [
    /!?\[([^\]\n]{1,500})\]\(<?([^()\s<>]{1,1500}(?:\([^()\s<>]{0,200}\)[^()\s<>]{0,500})?)>?(?:\s+"[^"\n]{0,200}")?\)/y,
    link,
  ],
  [
    /<?(https?:\/\/[^\s<>]{1,2000})>?/y,
    ([whole, url = '']) => escapeHtml(whole.startsWith('<') && whole.endsWith('>') ? url : whole),
  ],
  [/\*\*\*(?=\S)([^\n]{1,2000}?\S)\*\*\*(?!\*)/y, ([, text = ''], depth) => `<b><i>${spans(text, depth)}</i></b>`],
  [/\*\*(?=\S)([^\n]{0,2000}?\S)\*\*(?!\*)/y, ([, text = ''], depth) => `<b>${spans(text, depth)}</b>`],
  [/__(?=\S)([^\n]{0,2000}?\S)__(?![\p{L}\p{N}_])/uy, ([, text = ''], depth) => `<b>${spans(text, depth)}</b>`],
  [/~~(?=\S)([^\n]{0,2000}?\S)~~/y, ([, text = ''], depth) => `<s>${spans(text, depth)}</s>`],
  [/\*(?=[^\s*])([^\n*]{0,2000}?[^\s*])\*(?!\*)/y, ([, text = ''], depth) => `<i>${spans(text, depth)}</i>`],
  [/_(?=[^\s_])([^\n_]{0,2000}?[^\s_])_(?![\p{L}\p{N}_])/uy, ([, text = ''], depth) => `<i>${spans(text, depth)}</i>`],
];

const DEEPEST = 4;

function inline(text: string): string {
  return spans(text, 0);
}

function spans(text: string, depth: number): string {
  let html = '';
  let at = 0;
  while (at < text.length) {
    const found = depth < DEEPEST ? markAt(text, at, depth) : undefined;
    if (found) {
      html += found.html;
      at += found.length;
      continue;
    }
    // Up to where the next mark could begin.
    const plain = /[^\\`*_~[!<h]+/y;
    plain.lastIndex = at;
    const piece = plain.exec(text)?.[0] ?? text.charAt(at);
    html += escapeHtml(piece);
    at += piece.length;
  }
  return html;
}

function markAt(text: string, at: number, depth: number): { html: string; length: number } | undefined {
  // snake_case and 2*3*4 are words, not marks.
  const isInWord = /[\p{L}\p{N}_]/u.test(text.charAt(at - 1));
  if (isInWord && /^(_|\*(?!\*))/.test(text.slice(at, at + 2))) return undefined;
  for (const [pattern, render] of MARKS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const html = match ? render(match, depth + 1) : undefined;
    if (match && html !== undefined) return { html, length: match[0].length };
  }
  return undefined;
}

/** A link of another scheme (`tg://user` calls somebody) is shown as it was written. */
function link([, label = '', url = '']: RegExpExecArray, depth: number): string | undefined {
  return /^(https?:\/\/|mailto:|tel:)/i.test(url)
    ? `<a href="${escapeHtml(url)}">${spans(label, Math.max(depth, DEEPEST - 1))}</a>`
    : undefined;
}
