import { z } from 'zod';

/** What Discord sends, as far as it is read here. Everything else in it is left out. */

const Id = z.string().regex(/^\d{1,20}$/);

export const User = z.object({
  id: Id,
  username: z.string().optional(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
});
export type User = z.infer<typeof User>;

const Member = z.object({ nick: z.string().nullish(), roles: z.array(z.string()).optional() });

export const Channel = z.object({
  id: Id,
  type: z.number().int(),
  guild_id: Id.nullish(),
  name: z.string().nullish(),
  parent_id: Id.nullish(),
  last_message_id: Id.nullish(),
  recipients: z.array(User).optional(),
});
export type Channel = z.infer<typeof Channel>;

const Attachment = z.object({
  id: z.string(),
  filename: z.string(),
  content_type: z.string().nullish(),
  size: z.number().optional(),
  /** Of a voice message. */
  duration_secs: z.number().optional(),
  url: z.string(),
});
export type Attachment = z.infer<typeof Attachment>;

const Embed = z.object({
  type: z.string().optional(),
  title: z.string().nullish(),
  description: z.string().nullish(),
  url: z.string().nullish(),
  author: z.object({ name: z.string().nullish() }).nullish(),
  fields: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  footer: z.object({ text: z.string().nullish() }).nullish(),
});
export type Embed = z.infer<typeof Embed>;

const Sticker = z.object({ name: z.string() });

const Poll = z.object({
  question: z.object({ text: z.string().nullish() }),
  answers: z.array(z.object({ poll_media: z.object({ text: z.string().nullish() }) })),
});

const Words = z.object({
  content: z.string().default(''),
  attachments: z.array(Attachment).default([]),
  embeds: z.array(Embed).default([]),
  sticker_items: z.array(Sticker).nullish(),
  poll: Poll.nullish(),
  mentions: z.array(User).default([]),
});
export type Words = z.infer<typeof Words>;

const Plain = Words.extend({
  id: Id,
  channel_id: Id,
  guild_id: Id.optional(),
  author: User,
  webhook_id: z.string().optional(),
  application_id: z.string().optional(),
  member: Member.optional(),
  timestamp: z.string(),
  edited_timestamp: z.string().nullish(),
  type: z.number().int(),
  mention_roles: z.array(z.string()).default([]),
  message_reference: z
    .object({ type: z.number().int().optional(), message_id: z.string().optional(), channel_id: z.string().optional() })
    .nullish(),
  message_snapshots: z.array(z.object({ message: Words })).nullish(),
});
export type PlainMessage = z.infer<typeof Plain>;

export const Message = Plain.extend({ referenced_message: Plain.nullish() });
export type Message = z.infer<typeof Message>;

export const Deleted = z.object({ id: Id, channel_id: Id, guild_id: Id.optional() });
export const DeletedMany = z.object({ ids: z.array(Id), channel_id: Id, guild_id: Id.optional() });

export const Reacted = z.object({
  user_id: Id,
  channel_id: Id,
  message_id: Id,
  guild_id: Id.optional(),
  emoji: z.object({ id: z.string().nullish(), name: z.string().nullish() }),
});
export type Reacted = z.infer<typeof Reacted>;

export const Interaction = z.object({
  id: Id,
  application_id: Id,
  type: z.number().int(),
  token: z.string().regex(/^[\w.:-]+$/),
  channel_id: Id.optional(),
  guild_id: Id.optional(),
  data: z.object({ custom_id: z.string().optional() }).optional(),
  message: z.object({ id: Id }).optional(),
  member: Member.extend({ user: User }).optional(),
  user: User.optional(),
});
export type Interaction = z.infer<typeof Interaction>;

const Role = z.object({ id: z.string(), name: z.string() });

export const Guild = z.object({
  id: Id,
  name: z.string().optional(),
  unavailable: z.boolean().optional(),
  channels: z.array(Channel).optional(),
  threads: z.array(Channel).optional(),
  roles: z.array(Role).optional(),
  members: z.array(z.object({ user: User, roles: z.array(z.string()) })).optional(),
});
export type Guild = z.infer<typeof Guild>;

export const Threads = z.object({ guild_id: Id, threads: z.array(Channel) });
export const MemberUpdate = z.object({ guild_id: Id, user: User, roles: z.array(z.string()) });

/** Where one that can't be read belongs. */
export const InChannel = z.object({ id: Id.optional(), channel_id: Id });
