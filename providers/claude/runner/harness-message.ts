import { z } from 'zod';

/** What the harness says, read as far as we need it. Some of it is not in the SDK's types; all of it is `unknown` here. */

const Usage = z.object({
  inputTokens: z.number().default(0),
  outputTokens: z.number().default(0),
  cacheReadInputTokens: z.number().default(0),
  cacheCreationInputTokens: z.number().default(0),
  costUSD: z.number().default(0),
});
export type ModelUsage = z.infer<typeof Usage>;

const Uuids = z.array(z.string()).optional();

const Lifecycle = z
  .object({
    type: z.literal('command_lifecycle'),
    command_uuid: z.string(),
    state: z.enum(['queued', 'started', 'completed', 'cancelled']),
  })
  .transform(({ command_uuid, state }) => ({ kind: 'lifecycle' as const, uuid: command_uuid, state }));

const Init = z
  .object({
    type: z.literal('system'),
    subtype: z.literal('init'),
    session_id: z.string(),
    mcp_servers: z.array(z.object({ name: z.string(), status: z.string() })).default([]),
  })
  .transform(({ session_id, mcp_servers }) => ({
    kind: 'session' as const,
    id: session_id,
    failedServers: mcp_servers.filter(({ status }) => status === 'failed').map(({ name }) => name),
  }));

/** All that goes on behind the turns, but what watches over nothing else. */
const Behind = z
  .object({
    type: z.literal('system'),
    subtype: z.literal('background_tasks_changed'),
    tasks: z.array(
      z.object({
        task_id: z.string(),
        description: z.string(),
        parent_task_id: z.string().optional(),
        ambient: z.boolean().optional(),
      }),
    ),
  })
  .transform(({ tasks }) => ({
    kind: 'behind' as const,
    jobs: tasks
      .filter(({ ambient }) => !ambient)
      .map(({ task_id: id, description: what, parent_task_id: parent }) => ({
        id,
        what,
        ...(parent !== undefined && { parent }),
      })),
  }));

const Retry = z
  .object({
    type: z.literal('system'),
    subtype: z.literal('api_retry'),
    attempt: z.number(),
    retry_delay_ms: z.number(),
    error_status: z.number().nullable(),
    error: z.string(),
  })
  .transform(({ attempt, retry_delay_ms, error_status, error }) => ({
    kind: 'retry' as const,
    attempt,
    delayMs: retry_delay_ms,
    status: error_status,
    error,
  }));

/** A subscription's window is used up until then. */
const Limited = z
  .object({
    type: z.literal('rate_limit_event'),
    rate_limit_info: z.object({ status: z.literal('rejected'), resetsAt: z.number() }),
  })
  .transform(({ rate_limit_info }) => ({ kind: 'limited' as const, untilMs: rate_limit_info.resetsAt * 1000 }));

const Status = z
  .object({ type: z.literal('system'), subtype: z.literal('status'), status: z.string().nullable() })
  .transform(({ status }) => ({ kind: 'status' as const, compacting: status === 'compacting' }));

/** The conversation is shorter now. */
const Compacted = z
  .object({
    type: z.literal('system'),
    subtype: z.literal('compact_boundary'),
    uuid: z.string(),
    session_id: z.string(),
    compact_metadata: z.object({ pre_tokens: z.number(), post_tokens: z.number().optional() }),
  })
  .transform(({ uuid, session_id, compact_metadata: { pre_tokens, post_tokens } }) => ({
    kind: 'compacted' as const,
    uuid,
    session: session_id,
    before: pre_tokens,
    after: post_tokens,
  }));

const Assistant = z
  .object({
    type: z.literal('assistant'),
    parent_tool_use_id: z.string().nullish(),
    error: z.string().optional(),
    message: z.object({
      id: z.string(),
      content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
    }),
  })
  .transform(({ parent_tool_use_id, error, message }) => ({
    kind: 'said' as const,
    byAgent: typeof parent_tool_use_id !== 'string',
    error,
    messageId: message.id,
    text: message.content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join(''),
    callsTool: message.content.some((block) => block.type === 'tool_use'),
  }));

/** The model was cut off at its length limit, and the next message goes on from there. */
const CutOff = z
  .object({
    type: z.literal('stream_event'),
    parent_tool_use_id: z.string().nullish(),
    event: z.object({
      type: z.literal('message_delta'),
      delta: z.object({ stop_reason: z.literal('max_tokens') }),
    }),
  })
  .transform(({ parent_tool_use_id }) => ({
    kind: 'cut-off' as const,
    byAgent: typeof parent_tool_use_id !== 'string',
  }));

/** The model begins a message, or has written a piece of its text. */
const Begins = z
  .object({
    type: z.literal('stream_event'),
    parent_tool_use_id: z.string().nullish(),
    event: z.object({ type: z.literal('message_start'), message: z.object({ id: z.string() }) }),
  })
  .transform(({ parent_tool_use_id, event }) => ({
    kind: 'begins' as const,
    byAgent: typeof parent_tool_use_id !== 'string',
    messageId: event.message.id,
  }));

const Writes = z
  .object({
    type: z.literal('stream_event'),
    parent_tool_use_id: z.string().nullish(),
    event: z.object({
      type: z.literal('content_block_delta'),
      delta: z.object({ type: z.literal('text_delta'), text: z.string() }),
    }),
  })
  .transform(({ parent_tool_use_id, event }) => ({
    kind: 'writes' as const,
    byAgent: typeof parent_tool_use_id !== 'string',
    text: event.delta.text,
  }));

/** A piece of an answer, or a ping: the stream is alive. */
const Streaming = z.object({ type: z.literal('stream_event') }).transform(() => ({ kind: 'streaming' as const }));

/** What tools came to. The hooks tell it, too; this is the last word. */
const ToolResults = z
  .object({
    type: z.literal('user'),
    message: z.object({ content: z.array(z.looseObject({ type: z.string(), tool_use_id: z.string().optional() })) }),
  })
  .transform(({ message }) => ({
    kind: 'tool-results' as const,
    ids: message.content.flatMap(({ type, tool_use_id }) =>
      type === 'tool_result' && tool_use_id ? [tool_use_id] : [],
    ),
  }));

const STDOUT = /^<local-command-stdout>([\s\S]*)<\/local-command-stdout>$/;
/** What a command of the harness, such as /compact, printed. */
const CommandOutput = z
  .object({
    type: z.literal('user'),
    isReplay: z.literal(true),
    message: z.object({ content: z.string().regex(STDOUT) }),
  })
  .transform(({ message }) => ({
    kind: 'command-output' as const,
    text: STDOUT.exec(message.content)?.[1]?.trim() ?? '',
  }));

const Result = z
  .object({
    type: z.literal('result'),
    subtype: z.string(),
    is_error: z.boolean(),
    session_id: z.string().optional(),
    result: z.string().optional(),
    errors: z.array(z.string()).optional(),
    api_error_status: z.number().nullish(),
    terminal_reason: z.string().optional(),
    local_command: z.string().optional(),
    user_message_uuids: Uuids,
    duration_ms: z.number().optional(),
    model_usage_since_last_result: z.record(z.string(), Usage).optional(),
  })
  .transform((result) => ({
    kind: 'result' as const,
    failed: result.is_error,
    aborted: result.terminal_reason?.startsWith('aborted') === true,
    text: result.errors?.join('\n') ?? result.result ?? '',
    status: result.api_error_status ?? null,
    reason: result.terminal_reason ?? result.subtype,
    local: result.local_command !== undefined,
    read: result.user_message_uuids ?? [],
    durationMs: result.duration_ms,
    usage: result.model_usage_since_last_result ?? {},
  }));

const Known = z.union([
  Lifecycle,
  Init,
  Behind,
  Retry,
  Limited,
  Status,
  Assistant,
  CutOff,
  Begins,
  Writes,
  Streaming,
  ToolResults,
  CommandOutput,
  Compacted,
  Result,
]);
export type HarnessMessage = z.infer<typeof Known> | { kind: 'other' };

/** Never throws: what isn't known is a sign of life. */
export function readHarnessMessage(message: unknown): HarnessMessage {
  const read = Known.safeParse(message);
  return read.success ? read.data : { kind: 'other' };
}
