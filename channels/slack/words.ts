import { type Message, toPlainText, walkAst } from 'chat';
import { z } from 'zod';

/** What a message says, as text that an agent reads: code stays marked as such, and a link keeps its address. Pure. */
export function wordsOf({ formatted, text }: Pick<Message, 'formatted' | 'text'>): string {
  const marked = walkAst(structuredClone(formatted), (node) => {
    if (node.type === 'inlineCode') return plain(`\`${node.value}\``);
    if (node.type === 'code') return plain(`\`\`\`${node.lang ?? ''}\n${node.value}\n\`\`\``);
    if (node.type !== 'link') return node;
    const label = toPlainText({ type: 'root', children: [{ type: 'paragraph', children: node.children }] }).trim();
    return plain(label === '' || label === node.url ? node.url : `[${label}](${node.url})`);
  });
  const said = toPlainText(marked).trim();
  return said === '' ? text : said;
}

const Raw = z.looseObject({ text: z.string().optional() });

/** What Slack would take for a command of its own comes behind the bot's name: `@andy /help`. */
export function commandIn(raw: unknown, text: string, botUserId: string): string {
  const written = Raw.safeParse(raw).data?.text ?? '';
  const [, called] = /^\s*<@([UW][A-Z0-9]+)(?:\|[^>]*)?>\s*\//.exec(written) ?? [];
  return called === botUserId ? text.slice(text.indexOf('/')) : text;
}

function plain(value: string): { type: 'text'; value: string } {
  return { type: 'text', value };
}
