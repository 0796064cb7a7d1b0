import { z } from 'zod';
import { MAX_DRAFT_BYTES, MAX_NCL_REQUEST_BYTES, MAX_QUESTION } from './limits.ts';
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
  /** How long it plays. */
  seconds: z.number().int().nonnegative().optional(),
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
  /** Make the conversation shorter. A trigger, once no turn runs: its chat is told what came of it. */
  z.object({ action: z.literal('compact') }),
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

/** Names a question among those of its session: the same again, in a turn that is tried again, is the same question. */
const QuestionKey = RequestId;

/** `messages_in` of kind `system` and status `paused`: for the tool that waits for it, as `NclResponse`. */
export const QuestionReport = z.object({
  action: z.literal('question'),
  question: QuestionKey,
  /** `shown`: of a card, for which nobody waits longer. */
  status: z.enum(['shown', 'answered', 'withdrawn', 'expired', 'failed']),
  /** A sentence for the agent. */
  text: z.string(),
});
export type QuestionReport = z.infer<typeof QuestionReport>;

/** `messages_in` of kind `task`. */
export const TaskIn = z.object({
  prompt: z.string(),
  task: z.string().optional(),
  name: z.string().optional(),
  /** In words, with its zone. */
  due: z.string().optional(),
  /** Where it recurs. */
  schedule: z.string().optional(),
  /** Earlier times that it stands for as well. */
  missed: z.number().optional(),
  /** Run first, without the model: it says whether that is woken, and with what `data`. */
  script: z.string().optional(),
  data: z.unknown().optional(),
});
export type TaskIn = z.infer<typeof TaskIn>;
/** `messages_in` of kind `webhook`. */
export const WebhookIn = z.object({ source: z.string(), event: z.string(), payload: z.unknown() });

/** A message of this session, by its id or by the number that the agent knows it under. */
const Named = z.string().min(1).max(256);

/** `messages_out` of kind `chat`. */
export const ChatOut = z.object({
  text: z.string(),
  /** Names below `outbox/<message id>/`. */
  files: z.array(z.string().max(255)).max(20).optional(),
  /** True for what was said on the way to the answer. */
  progress: z.boolean().optional(),
  /** The ids in `messages_in` that this answers. */
  answers: z.array(z.string()).max(200).optional(),
  /**
   * An earlier message of its own, which becomes `text`, or what stands here. Said where that one stands, whatever the row's
   * place is; anew, as `text`, where the platform doesn't change it.
   */
  edits: z.object({ message: Named, text: z.string().optional() }).optional(),
  /** A message of either side that gets a reaction: nothing is said. An empty emoji takes it away. */
  reacts: z.object({ message: Named, emoji: z.string().max(64) }).optional(),
});
export type ChatOut = z.infer<typeof ChatOut>;

/** `session_state.value` under the key `draft`: an answer that is still being written. Goes with the rows that it becomes. */
export const DRAFT = 'draft';
export const Draft = z.object({
  /** The ids in `messages_in` that it will answer. */
  answers: z.array(z.string().max(128)).min(1).max(200),
  text: z
    .string()
    .min(1)
    .refine((text) => byteLength(text) <= MAX_DRAFT_BYTES, 'is too long'),
});
export type Draft = z.infer<typeof Draft>;

/** Beyond these, figures of one turn are no figures. */
const Count = z.number().nonnegative().max(1e9);
const Usd = z.number().nonnegative().max(10_000);

/** `session_state.value` under the key `background`: what goes on behind the turns, and what of it has ended and nobody was told of. */
export const BACKGROUND = 'background';
export const Background = z
  .array(z.object({ id: z.string().max(128), what: z.string().max(120), asked: z.string().max(128).nullable() }))
  .max(50);
export type Background = z.infer<typeof Background>;

/** `messages_out` of kind `system`. */
export const SystemOut = z.discriminatedUnion('action', [
  /** The agent decided to say nothing to these messages. */
  z.object({ action: z.literal('silence'), answers: z.array(z.string()).max(200), reason: z.string() }),
  /** These messages ended by `/stop` or `/clear`. */
  z.object({ action: z.literal('stopped'), answers: z.array(z.string()).max(200) }),
  /** Figures of a turn, from the provider. Under the same `turn` they take the place of those `soFar`. */
  z.object({
    action: z.literal('usage'),
    turn: RequestId.optional(),
    soFar: z.boolean().optional(),
    provider: z.string().max(64),
    model: z.string().max(128).optional(),
    inputTokens: Count,
    outputTokens: Count,
    cacheReadTokens: Count.optional(),
    cacheWriteTokens: Count.optional(),
    costUsd: Usd.optional(),
    durationMs: Count.optional(),
  }),
  /** What was typed after `ncl`. Strict: who asks is never for the sandbox to say. */
  z.strictObject({
    action: z.literal('ncl'),
    requestId: RequestId,
    argv: z.array(z.string()).max(256).refine(isShort, 'is too long'),
  }),
  /** A question, at the row's place; what comes of it is a QuestionReport. `waitMs`: a tool waits that long; 0: only until it is shown. */
  z.strictObject({
    action: z.literal('ask'),
    question: QuestionKey,
    title: z.string().max(MAX_QUESTION.title),
    text: z.string().max(MAX_QUESTION.text),
    options: z.array(z.string().min(1).max(MAX_QUESTION.label)).min(1).max(MAX_QUESTION.options),
    waitMs: z.number().int().min(0).max(MAX_QUESTION.waitMs),
  }),
  /** Nobody waits for it any more: what still comes of it is told as a message. */
  z.strictObject({ action: z.literal('ask-later'), question: QuestionKey }),
]);
export type SystemOut = z.infer<typeof SystemOut>;

function isShort(argv: readonly string[]): boolean {
  return argv.reduce((sum, word) => sum + byteLength(word), 0) <= MAX_NCL_REQUEST_BYTES;
}

/** Why a turn failed, by kind. Each has one sentence for the user and a retry rule, on the host's side. */
export const ERROR_CLASSES = [
  'auth',
  'billing',
  'rate-limit',
  'overload',
  'network',
  'context',
  'model',
  'crash',
  'script',
] as const;
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
