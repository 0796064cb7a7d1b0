import { z } from 'zod';
import type { Membership, Reaction } from '../../src/channels/adapter.ts';
import { emojiOf } from './emoji.ts';

/** What an event of Slack's is to this channel. Pure. The messages in it are read by the Chat SDK's adapter. */

export interface Own {
  channelType: string;
  userId: string;
}

/** `lane`: what happens there comes one after another. `key`: the same event again has the same. */
export type Intent =
  | { kind: 'message'; lane: string; key: string; ts: string; threadTs: string | undefined }
  | { kind: 'press' | 'changed'; lane: string; key: string }
  | { kind: 'reacted'; lane: string; key: string; reaction: Reaction }
  | { kind: 'membership'; lane: string; key: string; membership: Membership }
  | { kind: 'revoked'; code: string }
  | { kind: 'nothing'; reason: string };

const Said = z.looseObject({
  user: z.string().optional(),
  bot_id: z.string().optional(),
  ts: z.string().optional(),
  thread_ts: z.string().optional(),
  edited: z.object({ ts: z.string() }).optional(),
});
const Event = Said.extend({
  type: z.string(),
  subtype: z.string().optional(),
  channel: z.union([z.string(), z.looseObject({ id: z.string() })]).optional(),
  message: Said.optional(),
  previous_message: Said.optional(),
  deleted_ts: z.string().optional(),
  event_ts: z.string().optional(),
  reaction: z.string().optional(),
  item: z.looseObject({ type: z.string(), channel: z.string().optional(), ts: z.string().optional() }).optional(),
});
type Event = z.infer<typeof Event>;

const Payload = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('event_callback'), event_id: z.string().optional(), event: Event }),
  z.looseObject({
    type: z.literal('block_actions'),
    channel: z.looseObject({ id: z.string() }).optional(),
    container: z.looseObject({ channel_id: z.string().optional() }).optional(),
    actions: z.array(z.looseObject({ action_id: z.string(), action_ts: z.string().optional() })).min(1),
    user: z.looseObject({ id: z.string() }),
  }),
  z.looseObject({ type: z.literal('app_rate_limited') }),
]);

/** Somebody's words; everything else that comes as a message is Slack's own note. */
const WORDS = new Set([undefined, 'file_share', 'me_message', 'thread_broadcast']);
const DM = /^D/;

export function intentOf(raw: unknown, own: Own): Intent {
  const payload = Payload.safeParse(raw);
  if (!payload.success) return { kind: 'nothing', reason: 'an event of another kind' };
  switch (payload.data.type) {
    case 'block_actions': {
      const { channel, container, actions, user } = payload.data;
      const lane = channel?.id ?? container?.channel_id;
      if (lane === undefined) return { kind: 'nothing', reason: 'a button outside of any chat' };
      const [first] = actions;
      return { kind: 'press', lane, key: `press ${lane} ${user.id} ${first?.action_id} ${first?.action_ts}` };
    }
    case 'app_rate_limited':
      return { kind: 'nothing', reason: 'Slack holds back events: more than 30,000 in an hour' };
    case 'event_callback':
      return ofEvent(payload.data.event, payload.data.event_id ?? `${payload.data.event.event_ts}`, own);
  }
}

function ofEvent(event: Event, id: string, own: Own): Intent {
  switch (event.type) {
    case 'message':
    case 'app_mention':
      return ofMessage(event, id, own);
    case 'reaction_added':
    case 'reaction_removed':
      return ofReaction(event, id, own);
    case 'member_joined_channel':
    case 'member_left_channel':
    case 'channel_left':
    case 'group_left':
      return ofMembership(event, id, own);
    case 'tokens_revoked':
    case 'app_uninstalled':
      return { kind: 'revoked', code: event.type === 'tokens_revoked' ? 'token_revoked' : event.type };
    default:
      return { kind: 'nothing', reason: `an event ${event.type.slice(0, 40)}` };
  }
}

function ofMessage(event: Event, id: string, own: Own): Intent {
  const { subtype, ts, thread_ts: threadTs, edited } = event;
  const lane = channelOf(event);
  if (lane === undefined) return { kind: 'nothing', reason: 'a message without a chat' };
  const said = subtype === 'message_deleted' ? event.previous_message : (event.message ?? event);
  if (isByBot(said, own)) return { kind: 'nothing', reason: 'the bot itself, or another one' };
  if (subtype === 'message_changed' || subtype === 'message_deleted') return { kind: 'changed', lane, key: id };
  if (!WORDS.has(subtype) || ts === undefined || said?.user === undefined) {
    return { kind: 'nothing', reason: `a note ${String(subtype).slice(0, 40)}` };
  }
  // A mention comes twice, as a message and as a mention of the app.
  return { kind: 'message', lane, key: `message ${lane} ${ts} ${edited?.ts ?? ''}`, ts, threadTs };
}

/** Two bots that answer each other never end. What an app says in a person's name says a bot's id too. */
function isByBot(said: { user?: string | undefined; bot_id?: string | undefined } | undefined, own: Own): boolean {
  return said?.bot_id !== undefined || said?.user === own.userId || said?.user === 'USLACKBOT';
}

function ofReaction({ type, user, item, reaction }: Event, id: string, own: Own): Intent {
  const { channel: lane, ts } = item ?? {};
  if (item?.type !== 'message' || lane === undefined || ts === undefined || reaction === undefined) {
    return { kind: 'nothing', reason: 'a reaction to no message' };
  }
  if (user === undefined || user === own.userId) return { kind: 'nothing', reason: 'the bot itself' };
  return {
    kind: 'reacted',
    lane,
    key: id,
    // Which thread it is in, Slack doesn't say.
    reaction: {
      ...{ channelType: own.channelType, platformId: lane, threadId: null, platformMessageId: ts },
      ...{ senderId: `slack:${user}`, emoji: emojiOf(reaction), on: type === 'reaction_added' },
    },
  };
}

function ofMembership(event: Event, id: string, own: Own): Intent {
  const lane = channelOf(event);
  const isOwn = event.type === 'channel_left' || event.type === 'group_left' || event.user === own.userId;
  if (lane === undefined || !isOwn) return { kind: 'nothing', reason: 'somebody else came or went' };
  const joined = event.type === 'member_joined_channel';
  const place = { channelType: own.channelType, platformId: lane, threadId: null };
  return { kind: 'membership', lane, key: id, membership: { ...place, joined, isGroup: !isDm(lane) } };
}

function channelOf({ channel }: Event): string | undefined {
  return typeof channel === 'object' ? channel.id : channel;
}

/** A chat with one person. */
export function isDm(platformId: string): boolean {
  return DM.test(platformId);
}
