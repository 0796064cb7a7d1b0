import { cleanText, truncateBytes } from '@nanoclaw/protocol';
import { withoutCode } from './code.ts';
import type { Embed, Message, PlainMessage, User, Words } from './events.ts';

/** What a message says in words. Pure. */

/** Names for what a text has numbers for. */
export interface Names {
  channel(id: string): string | undefined;
  role(id: string): string | undefined;
}

export interface Me {
  id: string;
  username: string;
}

const MAX_NAME = 64;
const MAX_QUOTE_BYTES = 4096;
const FORWARD = 1;
const THREAD_STARTER = 21;

export function nameOf(user: User, nick?: string | null): string {
  return plainName(nick ?? user.global_name ?? '', plainName(user.username ?? '', 'somebody'));
}

/** On one line, without what can't be seen or turns the reading direction. */
export function plainName(written: string, otherwise: string): string {
  const visible = cleanText(written)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (visible === '' ? otherwise : visible).slice(0, MAX_NAME).toWellFormed();
}

/** The text with names in it, and a line for each thing that is no file. */
export function wordsOf(
  message: PlainMessage & { referenced_message?: Message['referenced_message'] },
  names: Names,
): string {
  const begins = message.type === THREAD_STARTER ? message.referenced_message : undefined;
  if (begins) return `[This thread begins with a message of ${nameOf(begins.author)}]\n${wordsOf(begins, names)}`;
  const isForward = message.message_reference?.type === FORWARD;
  const handedOn = isForward ? (message.message_snapshots ?? []) : [];
  return [said(message, names), ...handedOn.map(({ message: snapshot }) => `[Forwarded]\n${said(snapshot, names)}`)]
    .filter((part) => part !== '')
    .join('\n');
}

function said(words: Words, names: Names): string {
  const { content, embeds, sticker_items: stickers, poll, mentions } = words;
  const answers = (poll?.answers ?? []).map(({ poll_media: { text } }) => `- ${text ?? ''}`);
  return [
    named(content, mentions, names),
    // What Discord adds for a link says nothing that the link doesn't.
    ...embeds.filter(({ type = 'rich' }) => type === 'rich').map(embedded),
    ...(stickers ?? []).map(({ name }) => `[Sticker: ${name}]`),
    ...(poll ? [`[Poll: ${poll.question.text ?? ''}]\n${answers.join('\n')}`] : []),
  ]
    .filter((part) => part.trim() !== '')
    .join('\n');
}

function embedded({ author, title, url, description, fields, footer }: Embed): string {
  const head = title ? (url ? `[${title}](${url})` : title) : url;
  const rows = (fields ?? []).map(({ name, value }) => `${name}: ${value}`);
  return [author?.name, head, description, ...rows, footer?.text].filter((part) => part).join('\n');
}

const MARK =
  /<(?:@!?(?<user>\d+)|@&(?<role>\d+)|#(?<channel>\d+)|a?:(?<emoji>\w+):\d+|t:(?<time>-?\d{1,12})(?::\w)?|(?<command>\/[^:>\n]{1,120}):\d+)>/g;

function named(content: string, mentions: readonly User[], names: Names): string {
  const users = new Map(mentions.map((user) => [user.id, plainName(user.username ?? '', nameOf(user))]));
  return content.replaceAll(MARK, (mark, ...rest) => {
    const { user, role, channel, emoji, time, command } = rest.at(-1) as Record<string, string | undefined>;
    if (user !== undefined) return users.has(user) ? `@${users.get(user)}` : mark;
    if (role !== undefined) return `@${names.role(role) ?? 'role'}`;
    if (channel !== undefined) return `#${names.channel(channel) ?? channel}`;
    if (emoji !== undefined) return `:${emoji}:`;
    if (time !== undefined) return momentOf(Number(time)) ?? mark;
    return command ?? mark;
  });
}

function momentOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Whether the bot is meant: by its name, a role of its own, or an answer to it. What stands in code is not. */
export function isAddressed(message: Message, me: Me, ownRoles: ReadonlySet<string>): boolean {
  return isNamed(message.content, me, ownRoles) || message.referenced_message?.author.id === me.id;
}

export function isNamed(content: string, { id }: Me, ownRoles: ReadonlySet<string>): boolean {
  const plain = withoutCode(content);
  if (new RegExp(`(?<!\\\\)<@!?${id}>`).test(plain)) return true;
  return [...plain.matchAll(/<@&(\d+)>/g)].some(([, role = '']) => ownRoles.has(role));
}

/** `@bot /stop` is a command, as `/stop` alone. */
export function withoutCall(content: string, { id }: Me): string {
  return content.replace(new RegExp(`^\\s*<@!?${id}>\\s+(?=/)`), '');
}

export function quoted(earlier: PlainMessage, names: Names): { sender: string; text: string } {
  return { sender: nameOf(earlier.author), text: truncateBytes(cleanText(wordsOf(earlier, names)), MAX_QUOTE_BYTES) };
}
