import { isoTime } from '@nanoclaw/protocol';
import type { ButtonPress, InboundEvent, MessageChange, Reaction } from '../../../src/channels/adapter.ts';
import type { Attachment, Interaction, Message, PlainMessage, Reacted, User } from './events.ts';
import { isAddressed, isNamed, type Me, type Names, nameOf, quoted, withoutCall, wordsOf } from './words.ts';

/** What an event is to the host. Pure. */

export interface Place {
  platformId: string;
  threadId: string | null;
  isGroup: boolean;
  /** Undefined in a direct chat: that has the name of who writes. */
  chatName: string | undefined;
}

export interface Known {
  channelType: string;
  me: Me;
  names: Names;
  /** The bot's own in that server. */
  roles: ReadonlySet<string>;
}

export type Decoded = { event: InboundEvent; files: readonly Attachment[]; isBot: boolean } | { nothing: string };

/** A message somebody wrote, an answer, what an app was asked to say, and what a thread begins with. */
const SPOKEN = new Set([0, 19, 20, 21, 23]);
const THREAD_STARTER = 21;

export function decodeMessage(message: Message, place: Place, known: Known): Decoded {
  const { me, names, roles, channelType } = known;
  const reason = refusal(message, known);
  if (reason !== undefined) return { nothing: reason };
  const content = withoutCall(message.content, me);
  const text = wordsOf({ ...message, content }, names);
  const files = filesOf(message);
  // Without the intent Discord leaves the words out of what isn't meant for the bot.
  if (text === '' && files.length === 0) return { nothing: 'nothing that an agent could read' };
  const { referenced_message: earlier, author, member } = message;
  const senderName = nameOf(author, member?.nick);
  const isStarter = message.type === THREAD_STARTER;
  const { chatName = senderName, ...where } = place;
  const event: InboundEvent = {
    channelType,
    ...where,
    platformMessageId: message.id,
    senderId: senderOf(author),
    senderName,
    text,
    timestamp: isoTime(timeOf(message)),
    isMention: !place.isGroup || (!isStarter && isAddressed(message, me, roles)),
    chatName,
    ...(earlier && !isStarter && { replyTo: { id: earlier.id, ...quoted(earlier, names) } }),
  };
  return { event, files, isBot: author.bot === true };
}

function refusal({ type, author, content, application_id }: Message, { me, roles }: Known): string | undefined {
  if (author.id === me.id || application_id === me.id) return 'the bot itself';
  if (!SPOKEN.has(type)) return 'a note of Discord’s own';
  // Two bots that answer each other never end.
  return author.bot && !isNamed(content, me, roles) ? 'another bot' : undefined;
}

function filesOf(message: Message): readonly Attachment[] {
  return [
    ...message.attachments,
    ...(message.message_snapshots ?? []).flatMap(({ message: { attachments } }) => attachments),
  ];
}

export function decodeEdit(
  message: PlainMessage,
  place: Place,
  { channelType, me, names }: Known,
): MessageChange | undefined {
  const { author, edited_timestamp: edited, id } = message;
  // A preview that was added to a link is no edit.
  if (author.id === me.id || author.bot || !edited) return undefined;
  const text = wordsOf(message, names);
  return { channelType, ...placeOf(place), platformMessageId: id, senderId: senderOf(author), text };
}

export function decodeReaction(
  reacted: Reacted,
  on: boolean,
  place: Place,
  { channelType, me }: Known,
): Reaction | undefined {
  const { user_id, message_id, emoji } = reacted;
  if (user_id === me.id) return undefined;
  const senderId = `discord:${user_id}`;
  return { channelType, ...placeOf(place), platformMessageId: message_id, senderId, emoji: emojiOf(emoji), on };
}

export function decodePress(interaction: Interaction, place: Place, channelType: string): ButtonPress | undefined {
  const { data, message, member, user = member?.user } = interaction;
  if (data?.custom_id === undefined || !user) return undefined;
  return {
    channelType,
    ...placeOf(place),
    ...(message && { platformMessageId: message.id }),
    senderId: senderOf(user),
    senderName: nameOf(user, member?.nick),
    data: data.custom_id,
  };
}

export function placeOf({ platformId, threadId }: Place): { platformId: string; threadId: string | null } {
  return { platformId, threadId };
}

export function senderOf({ id }: Pick<User, 'id'>): string {
  return `discord:${id}`;
}

/** One of a server's own is `:name:`; its number alone would say nothing. */
function emojiOf({ id, name }: Reacted['emoji']): string {
  return id ? `:${name ?? id}:` : (name ?? '?');
}

function timeOf({ timestamp }: Message): number {
  const at = Date.parse(timestamp);
  return Number.isNaN(at) ? Date.now() : at;
}
