/**
 * HTML of a mail as text: what a person sees, links with their address, quotes with `> ` before each line. One pass, in
 * time that grows with the length alone; nothing is fetched or run.
 */
export function htmlToText(html: string): string {
  const out: Line[] = [{ quote: 0, text: '' }];
  const links: string[] = [];
  let quote = 0;
  let hidden: { tag: string; depth: number } | undefined;
  const newLine = () => {
    if (out.at(-1)?.text.trim() === '') out.pop();
    out.push({ quote, text: '' });
  };
  const add = (text: string) => {
    const last = out.at(-1);
    if (last) last.text += text;
  };

  for (const { text, tag, closing, attributes } of tokens(html.slice(0, MAX_HTML))) {
    if (hidden) {
      if (tag === hidden.tag) hidden.depth += closing ? -1 : 1;
      if (hidden.depth === 0) hidden = undefined;
      continue;
    }
    if (tag === '') add(entities(text).replace(/[\s\u00a0]+/g, ' '));
    else if (!closing && !VOID.has(tag) && (UNSEEN.has(tag) || isHidden(attributes))) hidden = { tag, depth: 1 };
    else if (tag === 'blockquote') {
      quote = Math.max(0, Math.min(20, quote + (closing ? -1 : 1)));
      newLine();
    } else if (tag === 'br') out.push({ quote, text: '' });
    else if (tag === 'p' || /^h[1-6]$/.test(tag)) {
      newLine();
      out.push({ quote, text: '' });
    } else if (BLOCKS.has(tag)) {
      newLine();
      if (tag === 'li' && !closing) add('- ');
    } else if (tag === 'td' && closing) add(' ');
    else if (tag === 'a' && !closing) links.push(entities(attribute(attributes, 'href') ?? ''));
    else if (tag === 'a') {
      const href = links.pop() ?? '';
      const line = out.at(-1);
      if (line && /^(https?:|mailto:)/i.test(href) && !line.text.includes(href.replace(/^mailto:/i, ''))) {
        line.text += ` (${href.slice(0, 2_000)})`;
      }
    } else if (tag === 'img') {
      const alt = entities(attribute(attributes, 'alt') ?? '').trim();
      if (alt) add(`[${alt.slice(0, 200)}]`);
    }
  }
  return out
    .map(({ quote: depth, text }) => `${'> '.repeat(depth)}${text.replace(/ +/g, ' ').trim()}`.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** In UTF-16 units; what comes after is not read. */
export const MAX_HTML = 2_000_000;
const UNSEEN = new Set(['script', 'style', 'head', 'title', 'template', 'noscript', 'object', 'svg', 'select']);
const VOID = new Set(['br', 'img', 'hr', 'meta', 'link', 'input', 'col', 'wbr', 'area', 'base', 'embed', 'source']);
const BLOCKS = new Set(['div', 'li', 'ul', 'ol', 'tr', 'table', 'hr', 'pre', 'section', 'article', 'header', 'footer']);

interface Line {
  quote: number;
  text: string;
}

interface Token {
  text: string;
  /** '' for text. */
  tag: string;
  closing: boolean;
  attributes: string;
}

function* tokens(html: string): Generator<Token> {
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const end = open < 0 ? html.length : open;
    if (end > at) yield { text: html.slice(at, end), tag: '', closing: false, attributes: '' };
    if (open < 0) return;
    if (html.startsWith('<!--', open)) {
      const close = html.indexOf('-->', open + 4);
      at = close < 0 ? html.length : close + 3;
      continue;
    }
    const name = /^<(\/?)([a-z][a-z0-9:]{0,30})/i.exec(html.slice(open, open + 40));
    if (!name && !/^<[!?/]/.test(html.slice(open, open + 2))) {
      yield { text: '<', tag: '', closing: false, attributes: '' };
      at = open + 1;
      continue;
    }
    const close = tagEnd(html, open);
    if (name) {
      const attributes = html.slice(open + name[0].length, Math.min(close, open + 5_000));
      yield { text: '', tag: (name[2] ?? '').toLowerCase(), closing: name[1] === '/', attributes };
    }
    at = close + 1;
  }
}

function tagEnd(html: string, from: number): number {
  let quote = '';
  // A quote that never ends must not make each tag look at the whole rest.
  const limit = Math.min(html.length, from + 10_000);
  for (let i = from; i < limit; i += 1) {
    const char = html[i] as string;
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '>') return i;
  }
  const plain = html.slice(from, limit).indexOf('>');
  return plain < 0 ? limit : from + plain;
}

function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(attributes);
  return found?.[1] ?? found?.[2] ?? found?.[3];
}

/** What a person doesn't see is not said to the agent either. */
function isHidden(attributes: string): boolean {
  if (/(^|\s)hidden(\s|=|$)/i.test(attributes)) return true;
  const style = (attribute(attributes, 'style') ?? '').replace(/\s/g, '').toLowerCase();
  return /(^|;)(display:none|visibility:hidden|font-size:0(px|pt|em|%)?(;|$)|mso-hide:all)/.test(style);
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  zwnj: '',
  shy: '',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  euro: '€',
  copy: '©',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
  ntilde: 'ñ',
};

function entities(text: string): string {
  return text.replace(/&(#x?[0-9a-f]{1,8}|[a-z]{2,10});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return NAMED[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    const isText = code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    return isText ? String.fromCodePoint(code) : ' ';
  });
}
