import { z } from 'zod';

/** What passes between a scripted platform (in the test) and its adapter (in the host), a JSON object a line. */

export const ToAdapter = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('event'),
    id: z.string(),
    chat: z.string(),
    thread: z.string().nullable(),
    sender: z.string(),
    text: z.string(),
    file: z.object({ name: z.string(), text: z.string() }).optional(),
  }),
  z.object({ type: z.literal('receipt'), call: z.number(), result: z.unknown() }),
  z.object({ type: z.literal('back') }),
  /** What becomes of messages and of chats; answered when it is durable. */
  z.object({
    type: z.literal('changed'),
    call: z.number(),
    chat: z.string(),
    id: z.string(),
    sender: z.string(),
    text: z.string().nullable(),
  }),
  z.object({
    type: z.literal('reacted'),
    call: z.number(),
    chat: z.string(),
    id: z.string(),
    sender: z.string(),
    emoji: z.string(),
    on: z.boolean(),
  }),
  z.object({
    type: z.literal('membership'),
    call: z.number(),
    chat: z.string(),
    joined: z.boolean(),
    name: z.string().optional(),
  }),
]);
export type ToAdapter = z.infer<typeof ToAdapter>;

export const ToPlatform = z.discriminatedUnion('type', [
  z.object({ type: z.literal('acceptance'), id: z.string(), acceptance: z.looseObject({ status: z.string() }) }),
  z.object({
    type: z.literal('deliver'),
    call: z.number(),
    message: z.object({
      id: z.string(),
      platformId: z.string(),
      threadId: z.string().nullable(),
      text: z.string(),
      progress: z.boolean(),
      files: z.array(z.object({ name: z.string(), path: z.string(), size: z.number() })),
      inReplyTo: z.string().optional(),
      edits: z.string().optional(),
    }),
  }),
  z.object({ type: z.literal('noted'), call: z.number() }),
  z.object({ type: z.literal('typing'), chat: z.string(), on: z.boolean() }),
  z.object({ type: z.literal('settled'), chat: z.string(), id: z.string(), outcome: z.string() }),
]);
export type ToPlatform = z.infer<typeof ToPlatform>;
