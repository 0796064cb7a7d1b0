import { z } from 'zod';

/** What passes over the socket, a line of JSON each. */

const place = {
  /** The channel instance; `terminal` when it isn't said. */
  channel: z.string().max(128).optional(),
  /** `local` when it isn't said: the owner's own chat. */
  chat: z.string().max(128).optional(),
};
const actor = {
  ...place,
  /** Who does it; the owner when it isn't said. */
  user: z.string().max(128).optional(),
  thread: z.string().max(128).nullable().optional(),
};
/** The client's own, unique; the same id twice is taken once. */
const id = z.string().min(1).max(128);

export const ClientFrame = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    id,
    text: z.string(),
    ...actor,
    /** Of this machine, with their whole paths; a message of files alone has an empty text. */
    files: z.array(z.string().max(4096)).max(10).optional(),
    /** The message that this one answers; the bot's own unless it says whose. */
    replyTo: z
      .object({ id: z.string().max(256), sender: z.string().max(64).optional(), text: z.string().optional() })
      .optional(),
  }),
  /** Somebody presses a button of the card with that id. */
  z.object({
    type: z.literal('press'),
    id,
    card: z.string().min(1).max(256),
    data: z.string().min(1).max(64),
    ...actor,
  }),
  /** From now on this connection is told what is said in that chat; `*`: in every one of that channel. */
  z.object({ type: z.literal('watch'), id, ...place }),
]);
export type ClientFrame = z.infer<typeof ClientFrame>;

const File = z.object({
  name: z.string(),
  /** Absolute: a copy that stays. */
  path: z.string(),
  /** Bytes. */
  size: z.number(),
});
const Button = z.object({ data: z.string(), label: z.string() });
/** Where it is; left out where it is the default. */
const where = { channel: z.string().optional(), chat: z.string().optional(), thread: z.string().optional() };
const said = { id: z.string(), text: z.string(), files: z.array(File), inReplyTo: z.string().nullable(), ...where };

export const ServerFrame = z.discriminatedUnion('type', [
  /** The message is on disk. `answered`: by the host itself. `held`: until somebody has decided. `messageIds`: the host's names for it. */
  z.object({
    type: z.literal('accepted'),
    id: z.string(),
    messageIds: z.array(z.string()),
    duplicate: z.boolean().optional(),
    answered: z.boolean().optional(),
    held: z.boolean().optional(),
  }),
  /** The frame was not taken. No id: the line could not be read as far as that. */
  z.object({ type: z.literal('refused'), id: z.string().nullable(), code: z.string(), sentence: z.string() }),
  /** After the cards of that chat that are still open. */
  z.object({ type: z.literal('watching'), id: z.string() }),
  z.object({ type: z.literal('typing'), on: z.boolean(), ...where }),
  z.object({ type: z.literal('progress'), text: z.string(), ...where }),
  z.object({ type: z.literal('message'), ...said }),
  /** A message with buttons. */
  z.object({ type: z.literal('card'), ...said, title: z.string(), body: z.string(), buttons: z.array(Button) }),
  /** The message of this id is another one now; without buttons unless it says so. */
  z.object({
    type: z.literal('edited'),
    id: z.string(),
    text: z.string(),
    buttons: z.array(Button).optional(),
    ...where,
  }),
  /** The host's short answer to a press. `refused`: it did nothing. */
  z.object({ type: z.literal('pressed'), id: z.string(), text: z.string(), refused: z.boolean().optional() }),
  /** Everything that answers the message of this id was sent. */
  z.object({
    type: z.literal('settled'),
    id: z.string(),
    outcome: z.enum(['reply', 'silence', 'notice', 'stopped']),
    ...where,
  }),
  /** The host goes away. */
  z.object({ type: z.literal('ended') }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;
export type CardFrame = Extract<ServerFrame, { type: 'card' }>;
export type TypingFrame = Extract<ServerFrame, { type: 'typing' }>;
export type MessageFrame = Extract<ServerFrame, { type: 'message' }>;
