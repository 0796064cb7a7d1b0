import { isoTime } from '@nanoclaw/protocol';
import type { ButtonPress, InboundEvent, Membership, MessageChange, Reaction } from '../../src/channels/adapter.ts';
import { type MediaPart, mediaOf } from './media.ts';
import type { Places } from './places.ts';
import type { Chat, Me, Message, PlainMessage, Update } from './updates.ts';
import { answered, chatNameOf, isAddressed, nameOf, quoted, wordsOf } from './words.ts';

/** What an update is to the host. Pure, but for what is known of chats. */

export type Intent =
  | { kind: 'message'; event: InboundEvent; media: readonly MediaPart[] }
  | { kind: 'changed'; change: MessageChange }
  | { kind: 'reacted'; reactions: readonly Reaction[] }
  | { kind: 'press'; press: ButtonPress | undefined; queryId: string }
  | { kind: 'membership'; membership: Membership; chat: Chat }
  | { kind: 'moved'; from: string; to: string }
  | { kind: 'nothing'; reason: string };

export interface Own {
  channelType: string;
  me: Me;
  places: Places;
  /** Whether the bot itself has sent this message. */
  isOwn(chatId: number, messageId: number): boolean;
}

export function createDecoder(own: Own) {
  const { channelType, me, places } = own;

  function placeOf(
    chat: Chat,
    message?: { message_thread_id?: number | undefined; is_topic_message?: boolean | undefined },
  ) {
    // Outside of topics Telegram numbers chains of replies in the same field.
    const thread = message?.is_topic_message ? message.message_thread_id : undefined;
    return {
      channelType,
      platformId: places.platformId(chat.id),
      threadId: thread === undefined ? null : String(thread),
    };
  }

  /** Several messages: one album. */
  function message(first: Message, rest: readonly Message[] = []): Intent {
    const { chat } = first;
    const moved = migration(first);
    if (moved) return { kind: 'moved', ...moved };
    const reason = refusal(first);
    if (reason) return { kind: 'nothing', reason };
    const all = [first, ...rest];
    const text = all.map(wordsOf).filter((words) => words !== '');
    const media = all.flatMap(mediaOf);
    if (text.length === 0 && media.length === 0) return { kind: 'nothing', reason: 'nothing that an agent could read' };
    const earlier = answered(first);
    const isGroup = chat.type !== 'private';
    const event: InboundEvent = {
      ...placeOf(chat, first),
      platformMessageId: places.messageId(chat.id, first.message_id),
      ...senderOf(first),
      text: withoutStart(text.join('\n'), isGroup),
      timestamp: isoTime(first.date * 1000),
      isMention: all.some((one) => isAddressed(one, me)),
      isGroup,
      chatName: chatNameOf(chat),
      ...(earlier && { replyTo: { id: places.messageId(chat.id, earlier.message_id), ...quoted(first, earlier) } }),
    };
    return { kind: 'message', event, media };
  }

  function refusal(one: Message): string | undefined {
    const { from, sender_chat, forward_origin: origin } = one;
    if (from?.id === me.id) return 'the bot itself';
    // What the bot posts in a channel comes back in the group that discusses it.
    if (one.is_automatic_forward && origin?.chat && own.isOwn(origin.chat.id, origin.message_id ?? 0))
      return 'the bot itself';
    // Two bots that answer each other never end.
    if (from?.is_bot && !sender_chat) return 'another bot';
    return from || sender_chat ? undefined : 'nobody';
  }

  function changed(one: Message): Intent {
    const reason = refusal(one);
    if (reason) return { kind: 'nothing', reason };
    const platformMessageId = places.messageId(one.chat.id, one.message_id);
    const { senderId } = senderOf(one);
    return { kind: 'changed', change: { ...placeOf(one.chat, one), platformMessageId, senderId, text: wordsOf(one) } };
  }

  function reacted(of: NonNullable<Update['message_reaction']>): Intent {
    const { chat, message_id, user, actor_chat, old_reaction, new_reaction } = of;
    const who = actor_chat?.id ?? user?.id;
    if (who === undefined || who === me.id) return { kind: 'nothing', reason: 'the bot itself' };
    const [before, after] = [old_reaction, new_reaction].map((list) => new Set(list.map(emojiOf)));
    const one = (on: boolean) => (emoji: string) => ({
      ...placeOf(chat),
      platformMessageId: places.messageId(chat.id, message_id),
      senderId: `telegram:${who}`,
      emoji,
      on,
    });
    const added = [...(after ?? [])].filter((emoji) => !before?.has(emoji)).map(one(true));
    const removed = [...(before ?? [])].filter((emoji) => !after?.has(emoji)).map(one(false));
    return { kind: 'reacted', reactions: [...removed, ...added] };
  }

  function pressed({ id, from, message: held, data }: NonNullable<Update['callback_query']>): Intent {
    if (!held || data === undefined) return { kind: 'press', press: undefined, queryId: id };
    const press = {
      ...placeOf(held.chat, held),
      platformMessageId: places.messageId(held.chat.id, held.message_id),
      senderId: `telegram:${from.id}`,
      senderName: nameOf(from),
      data,
    };
    return { kind: 'press', press, queryId: id };
  }

  function member({ chat, new_chat_member: { status, is_member } }: NonNullable<Update['my_chat_member']>): Intent {
    const joined =
      ['creator', 'administrator', 'member'].includes(status) || (status === 'restricted' && is_member === true);
    const membership = { ...placeOf(chat), joined, isGroup: chat.type !== 'private', chatName: chatNameOf(chat) };
    return { kind: 'membership', membership, chat };
  }

  return {
    message,
    update(update: Update): Intent {
      const said = update.message ?? update.channel_post;
      const edited = update.edited_message ?? update.edited_channel_post;
      if (said) return message(said);
      if (edited) return changed(edited);
      if (update.callback_query) return pressed(update.callback_query);
      if (update.message_reaction) return reacted(update.message_reaction);
      if (update.my_chat_member) return member(update.my_chat_member);
      return { kind: 'nothing', reason: 'an update of another kind' };
    },
  };
}

export type Decoder = ReturnType<typeof createDecoder>;

/** Who writes as a chat (an anonymous admin, a channel) is that chat: Telegram doesn't say which person. */
function senderOf({ from, sender_chat }: PlainMessage): { senderId: string; senderName: string } {
  return sender_chat
    ? { senderId: `telegram:${sender_chat.id}`, senderName: chatNameOf(sender_chat) }
    : { senderId: `telegram:${from?.id}`, senderName: nameOf(from) };
}

function migration({ chat, migrate_to_chat_id: to, migrate_from_chat_id: from }: Message) {
  if (to !== undefined) return { from: String(chat.id), to: String(to) };
  return from === undefined ? undefined : { from: String(from), to: String(chat.id) };
}

/** A link `t.me/<bot>?start=<word>` says the word. */
function withoutStart(text: string, isGroup: boolean): string {
  return isGroup ? text : text.replace(/^\/start (?=\S+$)/, '');
}

function emojiOf({
  emoji,
  custom_emoji_id,
  type,
}: {
  emoji?: string | undefined;
  custom_emoji_id?: string | undefined;
  type: string;
}) {
  return emoji ?? custom_emoji_id ?? type;
}
