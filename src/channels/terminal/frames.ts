import { z } from 'zod';

/** What a client of the terminal channel sends, a line of JSON each. */
export const ClientFrame = z.object({
  type: z.literal('message'),
  /** The client's own, unique; the same id twice is stored once. */
  id: z.string().min(1).max(128),
  text: z.string(),
  /** Only the owner in the chat `local`, for now. */
  chat: z.string().max(128).optional(),
  user: z.string().max(128).optional(),
  thread: z.string().max(128).nullable().optional(),
});
export type ClientFrame = z.infer<typeof ClientFrame>;

const ReceivedFile = z.object({
  name: z.string(),
  /** Absolute: a copy that stays. */
  path: z.string(),
  /** Bytes. */
  size: z.number(),
});

/** What a client is told, a line of JSON each. */
export const ServerFrame = z.discriminatedUnion('type', [
  /** The message is on disk. `answered`: by the host itself. `messageIds`: the host's names for it. */
  z.object({
    type: z.literal('accepted'),
    id: z.string(),
    messageIds: z.array(z.string()),
    duplicate: z.boolean().optional(),
    answered: z.boolean().optional(),
  }),
  /** The message was not taken. No id: the line could not be read as far as that. */
  z.object({ type: z.literal('refused'), id: z.string().nullable(), code: z.string(), sentence: z.string() }),
  z.object({ type: z.literal('typing'), on: z.boolean() }),
  z.object({ type: z.literal('progress'), text: z.string() }),
  z.object({
    type: z.literal('message'),
    id: z.string(),
    text: z.string(),
    files: z.array(ReceivedFile),
    inReplyTo: z.string().nullable(),
  }),
  /** Everything that answers the message of this id was sent. */
  z.object({
    type: z.literal('settled'),
    id: z.string(),
    outcome: z.enum(['reply', 'silence', 'notice', 'stopped']),
  }),
  /** The host goes away. */
  z.object({ type: z.literal('ended') }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;
