/** What the scripted API answers to one request. Plain data, so that a script reads like the conversation it plays. */

/** A point in a stream that a test passes by opening it. No sleeps. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

export type Block =
  | { type: 'text'; parts: readonly (string | Gate)[] }
  | { type: 'thinking'; text: string }
  | { type: 'tool_use'; name: string; input: Record<string, unknown>; id?: string };

export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens?: number;
  cache_creation_input_tokens?: number;
}

export interface MessageReply {
  kind: 'message';
  blocks: readonly Block[];
  /** Held back, headers and all, until this opens. */
  after?: Gate;
  /** How the stream ends: as it should, with the connection cut, with silence, or with an `error` event. */
  ending?: 'stop' | 'cut' | 'stall' | 'error';
  stopReason?: string;
  usage?: Usage;
}

export interface ErrorReply {
  kind: 'error';
  status: number;
  type: string;
  message: string;
  headers?: Record<string, string>;
}

/** The connection is dropped (`cut`) or held (`stall`) before a single byte of an answer. */
export type NoReply = { kind: 'cut' } | { kind: 'stall' };

export type Reply = MessageReply | ErrorReply | NoReply;

export function message(...blocks: (Block | string)[]): MessageReply {
  return { kind: 'message', blocks: blocks.map((block) => (typeof block === 'string' ? text(block) : block)) };
}

/** A text block, streamed in these parts; a gate between two holds the stream until it opens. */
export function text(...parts: (string | Gate)[]): Block {
  return { type: 'text', parts };
}

export function thinking(thought: string): Block {
  return { type: 'thinking', text: thought };
}

export function tool(name: string, input: Record<string, unknown>, id?: string): Block {
  return { type: 'tool_use', name, input, ...(id === undefined ? {} : { id }) };
}

export const say = (...parts: (string | Gate)[]): MessageReply => message(text(...parts));
export const bash = (command: string, more: Record<string, unknown> = {}): MessageReply =>
  message(tool('Bash', { command, description: 'scripted', ...more }));
/** The model has nothing to say. */
export const empty = (): MessageReply => message();
export const large = (bytes: number): MessageReply => say('x'.repeat(Math.max(0, bytes - 4)), ' end');

const cutAt = (ending: 'cut' | 'stall' | 'error', parts: readonly (string | Gate)[]): MessageReply => ({
  ...say(...parts),
  ending,
});
/** The connection breaks off after these parts. */
export const cutAfter = (...parts: (string | Gate)[]): MessageReply => cutAt('cut', parts);
/** The connection stays open after these parts, and nothing more comes. */
export const stallAfter = (...parts: (string | Gate)[]): MessageReply => cutAt('stall', parts);
/** The stream carries an overload error after these parts. */
export const errorAfter = (...parts: (string | Gate)[]): MessageReply => cutAt('error', parts);
export const cut = (): Reply => ({ kind: 'cut' });
export const stall = (): Reply => ({ kind: 'stall' });

export function error(
  status: number,
  type: string,
  messageText: string,
  headers: Record<string, string> = {},
): ErrorReply {
  return { kind: 'error', status, type, message: messageText, headers };
}

export const unauthorized = (): ErrorReply => error(401, 'authentication_error', 'invalid x-api-key');
export const forbidden = (): ErrorReply =>
  error(403, 'permission_error', 'Your API key does not have permission to use the specified resource.');
export const rateLimited = (retryAfterSeconds: number): ErrorReply =>
  error(429, 'rate_limit_error', 'This request would exceed the rate limit for your organization.', {
    'retry-after': String(retryAfterSeconds),
  });
/** As a subscription is refused when its five hours are used up. */
export function windowUsedUp(secondsLeft: number): ErrorReply {
  const reset = String(Math.floor(Date.now() / 1000) + secondsLeft);
  return error(429, 'rate_limit_error', 'This request would exceed your account’s rate limit.', {
    'retry-after': String(secondsLeft),
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': reset,
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'anthropic-ratelimit-unified-5h-status': 'rejected',
    'anthropic-ratelimit-unified-5h-reset': reset,
    'anthropic-ratelimit-unified-5h-utilization': '1',
  });
}
export const overloaded = (): ErrorReply => error(529, 'overloaded_error', 'Overloaded');
export const serverError = (): ErrorReply => error(500, 'api_error', 'Internal server error');
const CREDIT =
  'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.';
/** The same refusal has been seen under both statuses. */
export const billing = (status: 400 | 402 = 400): ErrorReply =>
  error(status, status === 402 ? 'billing_error' : 'invalid_request_error', CREDIT);
export const promptTooLong = (tokens = 214_000, maximum = 200_000): ErrorReply =>
  error(400, 'invalid_request_error', `prompt is too long: ${tokens} tokens > ${maximum} maximum`);
