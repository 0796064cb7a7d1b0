/** Reads Telegram's HTML as strictly as Telegram does: the text that is shown, or why it is refused. */

const TAGS = new Set(['b', 'strong', 'i', 'em', 'u', 's', 'code', 'pre', 'a', 'blockquote', 'tg-spoiler']);
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };

export function readHtml(html: string): { text: string; mentions: number[] } | { error: string } {
  const open: string[] = [];
  const mentions: number[] = [];
  let text = '';
  for (const [piece] of html.matchAll(/<[^>]*>?|&[^;\s]*;?|[^<&]+/g)) {
    if (piece.startsWith('<')) {
      const [, closing, name = '', rest = ''] = /^<(\/?)([a-z-]+)((?:\s+[a-z]+="[^"]*")*)>$/.exec(piece) ?? [];
      if (!TAGS.has(name)) return { error: `Unsupported start tag "${name}"` };
      if (closing) {
        if (open.pop() !== name) return { error: `Unexpected end tag "${name}"` };
      } else {
        open.push(name);
        const user = /href="tg:\/\/user\?id=(\d+)"/.exec(rest)?.[1];
        if (user) mentions.push(Number(user));
      }
    } else if (piece.startsWith('&')) {
      text += ENTITIES[piece] ?? piece;
    } else text += piece;
  }
  return open.length > 0
    ? { error: `Can't find end tag corresponding to start tag "${open.at(-1)}"` }
    : { text, mentions };
}
