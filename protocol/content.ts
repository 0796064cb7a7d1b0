import { z } from 'zod';
import { MAX_NCL_REQUEST_BYTES } from './limits.ts';
import { byteLength } from './text.ts';

/** Shapes of the JSON in `content` and `error` columns. Both sides parse before they use. */

export const Attachment = z.object({
  /** Coarse type as the platform names it: image, file, audio, video. */
  type: z.string().max(32),
  name: z.string().max(255),
  /** Where the agent finds it, below /workspace/inbound. */
  path: z.string().max(1024).optional(),
  url: z.string().max(4096).optional(),
  mimeType: z.string().max(255).optional(),
  /** Bytes. */
  size: z.number().int().nonnegative().optional(),
});
export type Attachment = z.infer<typeof Attachment>;

/** `messages_in` of kind `chat`. */
export const ChatIn = z.object({
  text: z.string(),
  sender: z.string(),
  senderId: z.string().optional(),
  attachments: z.array(Attachment).max(100).optional(),
  replyTo: z.object({ id: z.string().optional(), sender: z.string(), text: z.string() }).optional(),
});
export type ChatIn = z.infer<typeof ChatIn>;

/** `messages_in` of kind `system`: what the host wants of the runner itself. Never shown to the model. */
export const Control = z.discriminatedUnion('action', [
  /** End the running turn now; what it held is completed without an answer. */
  z.object({ action: z.literal('stop') }),
  /** Forget the conversation: ends a running turn, drops the continuation. */
  z.object({ action: z.literal('clear') }),
]);
export type Control = z.infer<typeof Control>;

/** `messages_in` of kind `system` that goes into the prompt: the host's answer to something the agent did. */
export const SystemNote = z.object({
  action: z.literal('note'),
  /** What it is about, e.g. `delivery`. */
  subject: z.string(),
  status: z.string(),
  text: z.string(),
});
export type SystemNote = z.infer<typeof SystemNote>;

/** Names one call of `ncl` among those of its sandbox. */
const RequestId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** `messages_in` of kind `system` and status `paused`: for the `ncl` that asked. The runner takes up nothing that is paused. */
export const NclResponse = z.object({
  action: z.literal('ncl-response'),
  requestId: RequestId,
  exit: z.number().int().min(0).max(255),
  out: z.string(),
  err: z.string(),
});
export type NclResponse = z.infer<typeof NclResponse>;

/** `messages_in` of kind `task`. */
export const TaskIn = z.object({ prompt: z.string() });
/** `messages_in` of kind `webhook`. */
export const WebhookIn = z.object({ source: z.string(), event: z.string(), payload: z.unknown() });

/** `messages_out` of kind `chat`. */
export const ChatOut = z.object({
  text: z.string(),
  /** Names below `outbox/<message id>/`. */
  files: z.array(z.string().max(255)).max(20).optional(),
  /** True for what was said on the way to the answer. */
  progress: z.boolean().optional(),
  /** The ids in `messages_in` that this answers. */
  answers: z.array(z.string()).max(200).optional(),
});
export type ChatOut = z.infer<typeof ChatOut>;

/** `messages_out` of kind `system`. */
export const SystemOut = z.discriminatedUnion('action', [
  /** The agent decided to say nothing to these messages. */
  z.object({ action: z.literal('silence'), answers: z.array(z.string()).max(200), reason: z.string() }),
  /** These messages ended by `/stop` or `/clear`. */
  z.object({ action: z.literal('stopped'), answers: z.array(z.string()).max(200) }),
  /** Figures of a turn, from the provider. */
  z.object({
    action: z.literal('usage'),
    provider: z.string().max(64),
    model: z.string().max(128).optional(),
    inputTokens: z.number().nonnegative(),
    outputTokens: z.number().nonnegative(),
    cacheReadTokens: z.number().nonnegative().optional(),
    cacheWriteTokens: z.number().nonnegative().optional(),
    costUsd: z.number().nonnegative().optional(),
    durationMs: z.number().nonnegative().optional(),
  }),
  /** What was typed after `ncl`. Strict: who asks is never for the sandbox to say. */
  z.strictObject({
    action: z.literal('ncl'),
    requestId: RequestId,
    argv: z.array(z.string()).max(256).refine(isShort, 'is too long'),
  }),
]);
export type SystemOut = z.infer<typeof SystemOut>;

function isShort(argv: readonly string[]): boolean {
  return argv.reduce((sum, word) => sum + byteLength(word), 0) <= MAX_NCL_REQUEST_BYTES;
}

/** Why a turn failed, by kind. Each has one sentence for the user and a retry rule, on the host's side. */
export const ERROR_CLASSES = ['auth', 'billing', 'rate-limit', 'overload', 'network', 'context', 'crash'] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** `processing_ack.error` of a failed message. */
export const AckError = z.object({
  class: z.enum(ERROR_CLASSES),
  retryable: z.boolean(),
  /** For the log, not for the chat. */
  message: z.string(),
  /** The `tries` of the row that this is about: a later try is not settled by an older acknowledgement. */
  tries: z.number().int().nonnegative(),
  retryAfterMs: z.number().nonnegative().optional(),
});
export type AckError = z.infer<typeof AckError>;
