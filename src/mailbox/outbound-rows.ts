import {
  AckError,
  Background,
  ChatOut,
  Draft,
  isIsoTime,
  MAX_CONTENT_BYTES,
  MAX_DRAFT_BYTES,
  SystemOut,
} from '@nanoclaw/protocol';
import { z } from 'zod';

const Id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const Time = z.string().max(32).refine(isIsoTime, 'is not a time');
const Place = z.string().max(1024).nullable();
const DAY_MS = 86_400_000;
/** Of brackets in a `content`; its deepest shape has two. */
const MAX_DEPTH = 32;

/** Written as JSON, a text of control characters grows sixfold; and the ids beside it. */
const MAX_DRAFT_JSON = 6 * MAX_DRAFT_BYTES + 32 * 1024;

const MAX_BACKGROUND = 128 * 1024;

/** What each kind of message says. */
const CONTENT = { chat: ChatOut, 'chat-sdk': z.record(z.string(), z.unknown()), system: SystemOut } as const;

const MessageOut = z
  .object({
    id: Id,
    seq: z
      .int()
      .positive()
      .refine((seq) => seq % 2 === 1, 'is not odd'),
    in_reply_to: Id.nullable(),
    timestamp: Time,
    deliver_after: Time.nullable(),
    kind: z.enum(['chat', 'chat-sdk', 'system']),
    platform_id: Place,
    channel_type: Place,
    thread_id: Place,
    content: z.string().max(MAX_CONTENT_BYTES),
  })
  .refine((row) => isJsonOf(CONTENT[row.kind], row.content), 'content is not what its kind says');

const Ack = z
  .object({
    message_id: Id,
    status: z.enum(['processing', 'completed', 'failed']),
    status_changed: Time,
    error: z
      .string()
      .max(64 * 1024)
      .nullable(),
  })
  .refine((row) => row.error === null || isJsonOf(AckError, row.error), 'error is not what it should be');

const Phase = z.object({ phase: z.enum(['idle', 'turn']), updated_at: Time });

const Tool = z.object({
  id: z.string().min(1).max(256),
  tool: z.string().max(256),
  started_at: Time,
  declared_timeout_ms: z
    .int()
    .nonnegative()
    .transform((timeout) => Math.min(timeout, DAY_MS))
    .nullable(),
});

const Snapshot = z.object({
  messages: z.array(MessageOut),
  acks: z.array(Ack),
  phase: Phase.nullable(),
  tools: z.array(Tool),
  more: z.boolean(),
  draft: z
    .string()
    .max(MAX_DRAFT_JSON)
    .refine((value) => isJsonOf(Draft, value), 'is not what it should be')
    .optional(),
  background: z
    .string()
    .max(MAX_BACKGROUND)
    .refine((value) => isJsonOf(Background, value), 'is not what it should be')
    .transform((value) => Background.parse(JSON.parse(value)))
    .optional(),
});
export type OutboundSnapshot = z.infer<typeof Snapshot>;

const Answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ok'), snapshot: z.unknown() }),
  z.object({ status: z.literal('busy') }),
  z.object({ status: z.literal('absent') }),
  z.object({ status: z.literal('hostile'), reason: z.string() }),
]);

export type ReadResult =
  | { status: 'ok'; snapshot: OutboundSnapshot }
  | { status: 'busy' }
  | { status: 'absent' }
  | { status: 'hostile'; reason: string };

/** One line of the reader process; null when that isn't an answer. It has read hostile bytes: its word is parsed too. */
export function parseAnswer(line: string, afterSeq: number): ReadResult | null {
  const parsedLine = Answer.safeParse(parseJson(line));
  if (!parsedLine.success) return null;
  const answer = parsedLine.data;
  if (answer.status !== 'ok') return answer;
  const parsed = Snapshot.safeParse(answer.snapshot);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { status: 'hostile', reason: `${issue?.path.join('.')}: ${issue?.message}`.slice(0, 200) };
  }
  const snapshot = parsed.data;
  // A tree that was built by hand can hand out a row twice, or rows out of order.
  const ascending = snapshot.messages.every((row, at) => row.seq > (snapshot.messages[at - 1]?.seq ?? afterSeq));
  if (!ascending) return { status: 'hostile', reason: 'messages are out of order' };
  const ids = new Set(snapshot.messages.map((row) => row.id));
  if (ids.size < snapshot.messages.length) return { status: 'hostile', reason: 'an id is there twice' };
  return { status: 'ok', snapshot };
}

function isJsonOf(schema: z.ZodType, text: string): boolean {
  return isShallow(text) && schema.safeParse(parseJson(text)).success;
}

/** Brackets in brackets cost the parser, and so the host's event loop, far more than a long text does: 70 ms for a megabyte. */
function isShallow(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === '[' || char === '{')) depth++;
    else if (!quoted && (char === ']' || char === '}')) depth--;
    if (depth > MAX_DEPTH) return false;
  }
  return true;
}

/** Undefined, which is no JSON, for what can't be parsed. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
