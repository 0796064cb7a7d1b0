import { cleanText, truncateBytes } from '@nanoclaw/protocol';
import type { Chat, Entity, Me, Message, PlainMessage, User } from './updates.ts';

/** What a message says in words. Pure. */

const MAX_NAME = 64;
const MAX_QUOTE_BYTES = 4096;

export function nameOf(user: User | undefined): string {
  return name(`${user?.first_name ?? ''} ${user?.last_name ?? ''}`, user?.username ?? 'somebody');
}

export function chatNameOf({ title, first_name, last_name, username }: Chat): string {
  return name(title ?? `${first_name ?? ''} ${last_name ?? ''}`, username ?? 'a chat');
}

/** On one line, without what can't be seen or turns the reading direction. */
function name(written: string, otherwise: string): string {
  const visible = cleanText(written)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return (visible === '' ? otherwise : visible).slice(0, MAX_NAME).toWellFormed();
}

/** The text or caption, where its links lead, and a line for each thing that is no file. */
export function wordsOf(message: PlainMessage): string {
  const entities = message.entities ?? message.caption_entities ?? [];
  const said = withLinks(message.text ?? message.caption ?? '', entities);
  return [forwarded(message), said, ...things(message)].filter((part) => part !== '').join('\n');
}

/** A link whose address isn't its text would be lost. */
function withLinks(text: string, entities: readonly Entity[]): string {
  const links = entities
    .filter(({ type, url }) => type === 'text_link' && url !== undefined)
    .toSorted((a, b) => b.offset - a.offset);
  let end = text.length;
  let result = text;
  for (const { offset, length, url } of links) {
    if (offset + length > end) continue;
    result = `${result.slice(0, offset)}[${result.slice(offset, offset + length)}](${url})${result.slice(offset + length)}`;
    end = offset;
  }
  return result;
}

/** Who hands on somebody's words doesn't say them. */
function forwarded({ forward_origin: origin }: PlainMessage): string {
  if (!origin) return '';
  const chat = origin.sender_chat ?? origin.chat;
  const from = chat ? chatNameOf(chat) : (origin.sender_user_name ?? nameOf(origin.sender_user));
  return `[Forwarded from ${name(from, 'somebody')}]`;
}

function things({ location, venue, contact, poll, dice, sticker }: PlainMessage): string[] {
  return [
    ...(venue ? [`[Place: ${venue.title}, ${venue.address}]`] : []),
    ...(location ? [`[Location: ${location.latitude}, ${location.longitude}]`] : []),
    ...(contact ? [`[Contact: ${contact.first_name} ${contact.last_name ?? ''} ${contact.phone_number}]`] : []),
    ...(poll ? [`[Poll: ${poll.question} ${poll.options.map(({ text }) => `- ${text}`).join(' ')}]`] : []),
    ...(dice ? [`[${dice.emoji} ${dice.value}]`] : []),
    ...(sticker ? [`[Sticker ${sticker.emoji ?? ''}]`] : []),
  ];
}

/** Whether the bot is meant, in any way that Telegram knows. What stands in code is not. */
export function isAddressed(message: Message, me: Me): boolean {
  if (message.chat.type === 'private') return true;
  const text = message.text ?? message.caption ?? '';
  const own = `@${me.username ?? ''}`.toLowerCase();
  const named = (message.entities ?? message.caption_entities ?? []).some(({ type, offset, length, user }) => {
    if (type === 'text_mention') return user?.id === me.id;
    const part = text.slice(offset, offset + length).toLowerCase();
    if (me.username === undefined) return false;
    return type === 'mention' ? part === own : type === 'bot_command' && part.endsWith(own);
  });
  return named || answered(message)?.from?.id === me.id;
}

/** In a topic every message answers the one that opened it. */
export function answered({ reply_to_message: earlier }: Message): PlainMessage | undefined {
  return earlier?.forum_topic_created === undefined ? earlier : undefined;
}

export function quoted(message: Message, earlier: PlainMessage): { sender: string; text: string } {
  const sender = earlier.sender_chat ? chatNameOf(earlier.sender_chat) : nameOf(earlier.from);
  return { sender, text: truncateBytes(cleanText(message.quote?.text ?? wordsOf(earlier)), MAX_QUOTE_BYTES) };
}
