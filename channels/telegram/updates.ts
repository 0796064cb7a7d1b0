import { z } from 'zod';

/** What Telegram sends, as far as it is read here. Everything else in it is left out. */

const User = z.object({
  id: z.number().int(),
  is_bot: z.boolean().optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
});
export type User = z.infer<typeof User>;

const Chat = z.object({
  id: z.number().int(),
  type: z.string(),
  title: z.string().optional(),
  username: z.string().optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
});
export type Chat = z.infer<typeof Chat>;

const Entity = z.object({
  type: z.string(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  url: z.string().optional(),
  language: z.string().optional(),
  user: User.optional(),
});
export type Entity = z.infer<typeof Entity>;

const Media = z.object({
  file_id: z.string(),
  file_size: z.number().optional(),
  file_name: z.string().optional(),
  mime_type: z.string().optional(),
  duration: z.number().optional(),
});

const Sticker = Media.extend({
  emoji: z.string().optional(),
  is_animated: z.boolean().optional(),
  is_video: z.boolean().optional(),
});

const Origin = z.object({
  type: z.string(),
  sender_user: User.optional(),
  sender_user_name: z.string().optional(),
  sender_chat: Chat.optional(),
  chat: Chat.optional(),
  message_id: z.number().int().optional(),
});

const Plain = z.object({
  message_id: z.number().int(),
  message_thread_id: z.number().int().optional(),
  is_topic_message: z.boolean().optional(),
  is_automatic_forward: z.boolean().optional(),
  date: z.number().int(),
  chat: Chat,
  from: User.optional(),
  sender_chat: Chat.optional(),
  text: z.string().optional(),
  entities: z.array(Entity).optional(),
  caption: z.string().optional(),
  caption_entities: z.array(Entity).optional(),
  media_group_id: z.string().optional(),
  forward_origin: Origin.optional(),
  photo: z.array(Media).optional(),
  document: Media.optional(),
  video: Media.optional(),
  animation: Media.optional(),
  audio: Media.optional(),
  voice: Media.optional(),
  video_note: Media.optional(),
  sticker: Sticker.optional(),
  location: z.object({ latitude: z.number(), longitude: z.number() }).optional(),
  venue: z.object({ title: z.string(), address: z.string() }).optional(),
  contact: z.object({ first_name: z.string(), last_name: z.string().optional(), phone_number: z.string() }).optional(),
  poll: z.object({ question: z.string(), options: z.array(z.object({ text: z.string() })) }).optional(),
  dice: z.object({ emoji: z.string(), value: z.number() }).optional(),
  quote: z.object({ text: z.string() }).optional(),
  forum_topic_created: z.unknown().optional(),
  migrate_to_chat_id: z.number().int().optional(),
  migrate_from_chat_id: z.number().int().optional(),
});

export const Message = Plain.extend({ reply_to_message: Plain.optional() });
export type Message = z.infer<typeof Message>;
export type PlainMessage = z.infer<typeof Plain>;

const ReactionType = z.object({
  type: z.string(),
  emoji: z.string().optional(),
  custom_emoji_id: z.string().optional(),
});

export const Update = z.object({
  update_id: z.number().int(),
  message: Message.optional(),
  edited_message: Message.optional(),
  channel_post: Message.optional(),
  edited_channel_post: Message.optional(),
  callback_query: z
    .object({
      id: z.string(),
      from: User,
      data: z.string().optional(),
      message: z
        .object({
          message_id: z.number().int(),
          message_thread_id: z.number().int().optional(),
          is_topic_message: z.boolean().optional(),
          chat: Chat,
        })
        .optional(),
    })
    .optional(),
  message_reaction: z
    .object({
      chat: Chat,
      message_id: z.number().int(),
      user: User.optional(),
      actor_chat: Chat.optional(),
      old_reaction: z.array(ReactionType),
      new_reaction: z.array(ReactionType),
    })
    .optional(),
  my_chat_member: z
    .object({
      chat: Chat,
      new_chat_member: z.object({ status: z.string(), is_member: z.boolean().optional() }),
    })
    .optional(),
});
export type Update = z.infer<typeof Update>;

/** All that is asked for: Telegram leaves out reactions unless they are named. */
export const ALLOWED_UPDATES = [
  ...['message', 'edited_message', 'channel_post', 'edited_channel_post'],
  ...['callback_query', 'message_reaction', 'my_chat_member'],
];

export const Me = z.object({
  id: z.number().int(),
  username: z.string().optional(),
  first_name: z.string().optional(),
});
export type Me = z.infer<typeof Me>;

/** One that can't be confirmed by its number is passed over. */
export const Numbered = z.object({ update_id: z.number().int() });
