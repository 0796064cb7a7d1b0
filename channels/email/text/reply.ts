import { ATTRIBUTION, FORWARDED, HEADER_LINE, ORIGINAL, SENT_FROM } from './quote-words.ts';

/**
 * What somebody wrote, without the mail that they answer and without their signature. Where that isn't certain, the
 * whole text stays: too much is a nuisance, too little is a loss.
 */
export interface Reply {
  text: string;
  /** What was cut as a quote. */
  quoted: string;
}

export function splitReply(whole: string): Reply {
  const lines = whole.replace(/\r\n?/g, '\n').trim().split('\n');
  if (lines.slice(0, MAX_LINES).some((line) => FORWARDED.test(line.slice(0, 200)))) {
    return { text: lines.join('\n'), quoted: '' };
  }
  const cut = quoteStart(lines);
  const kept = withoutSignature(lines.slice(0, cut)).join('\n').trim();
  if (kept === '') return { text: lines.join('\n'), quoted: '' };
  return { text: kept, quoted: lines.slice(cut).join('\n').trim() };
}

const MAX_LINES = 5_000;

/** Where the quote begins that reaches to the end; the number of lines when there is none. */
function quoteStart(lines: readonly string[]): number {
  for (let i = 0; i < Math.min(lines.length, MAX_LINES); i += 1) {
    const line = (lines[i] ?? '').slice(0, 500);
    if (ORIGINAL.test(line)) return i;
    if (isRule(line) && isHeaderBlock(lines, i + 1)) return i;
    if (isHeaderBlock(lines, i)) return i;
    const after = attributionEnd(lines, i);
    if (after !== undefined && isQuotedToEnd(lines, after)) return i;
    if (isQuoted(line)) return isQuotedToEnd(lines, i) ? i : lines.length;
  }
  return lines.length;
}

function isQuoted(line: string): boolean {
  return /^\s{0,3}>/.test(line);
}

function isRule(line: string): boolean {
  return /^\s*(_{10,}|-{10,})\s*$/.test(line);
}

/** From here on nothing but quotes; somebody who writes between or below them is heard. A signature may follow. */
function isQuotedToEnd(lines: readonly string[], from: number): boolean {
  const rest = lines.slice(from);
  const signature = rest.findIndex((line) => /^--\s?$/.test(line));
  const body = signature < 0 ? rest : rest.slice(0, signature);
  return body.some(isQuoted) && body.every((line) => isQuoted(line) || line.trim() === '' || SENT_FROM.test(line));
}

/** `On Monday, Ann wrote:`, on up to three lines. The line after it. */
function attributionEnd(lines: readonly string[], from: number): number | undefined {
  let text = '';
  for (let i = from; i < Math.min(from + 3, lines.length); i += 1) {
    const line = (lines[i] ?? '').trim();
    if (line === '' || isQuoted(line) || text.length + line.length > 500) return undefined;
    text = `${text} ${line}`.trim();
    if (/[:：]$/.test(line)) return ATTRIBUTION.test(text) ? i + 1 : undefined;
  }
  return undefined;
}

/** `From: … Sent: … To: … Subject: …`, as Outlook puts it before what it quotes without any mark. */
function isHeaderBlock(lines: readonly string[], from: number): boolean {
  const seen = new Set<string>();
  let first = '';
  for (const line of lines.slice(from, from + 8)) {
    const kind = HEADER_LINE.find(({ pattern }) => pattern.test(line.slice(0, 300).replace(/\*/g, '').trim()))?.kind;
    if (kind === undefined && seen.size === 0 && line.trim() !== '') return false;
    if (kind === undefined) continue;
    if (first === '') first = kind;
    seen.add(kind);
  }
  return first === 'from' && seen.has('subject') && seen.size >= 3;
}

function withoutSignature(lines: readonly string[]): readonly string[] {
  const trimmed = lines.slice(0, lines.findLastIndex((line) => line.trim() !== '') + 1);
  const mark = trimmed.findLastIndex((line) => /^--\s?$/.test(line));
  // A line of two dashes can also part two paragraphs.
  const most = trimmed[mark] === '-- ' ? 15 : 6;
  if (mark > 0 && trimmed.length - mark - 1 <= most) return trimmed.slice(0, mark);
  return SENT_FROM.test(trimmed.at(-1) ?? '') && trimmed.length > 1 ? trimmed.slice(0, -1) : trimmed;
}
