import { z } from 'zod';
import { type ErrorReply, error } from './reply.ts';

/** What the real API would refuse, it refuses; what it accepts is read as far as scripts need it. */

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional(),
});
const Turn = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string().transform((text): z.infer<typeof Block>[] => [{ type: 'text', text }]), z.array(Block)]),
});
export const MessagesRequest = z.looseObject({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  messages: z.array(Turn).min(1),
  system: z.union([z.string(), z.array(Block)]).optional(),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  stream: z.boolean().default(false),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;
export type RequestBlock = MessagesRequest['messages'][number]['content'][number];

export const CountRequest = MessagesRequest.omit({ max_tokens: true, stream: true });

export interface Keys {
  /** Expected in `x-api-key`. */
  apiKey?: string;
  /** Expected as a bearer token. */
  authToken?: string;
  /** Expected as a bearer token, with the beta that opens the API to it. */
  oauthToken?: string;
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(',') : (value ?? ''));

export function refuseKey(headers: Headers, keys: Keys): ErrorReply | undefined {
  const apiKey = one(headers['x-api-key']);
  const bearer = /^Bearer (.+)$/i.exec(one(headers.authorization))?.[1];
  if (apiKey === '' && bearer === undefined) return error(401, 'authentication_error', 'x-api-key header is required');
  if (bearer !== undefined) {
    if (bearer === keys.authToken) return undefined;
    if (bearer !== keys.oauthToken) return error(401, 'authentication_error', 'Invalid bearer token');
    return one(headers['anthropic-beta']).includes('oauth-2025-04-20')
      ? undefined
      : error(401, 'authentication_error', 'OAuth authentication is currently not supported.');
  }
  return apiKey === keys.apiKey ? undefined : error(401, 'authentication_error', 'invalid x-api-key');
}

export function refuseVersion(headers: Headers): ErrorReply | undefined {
  return one(headers['anthropic-version']) === ''
    ? error(400, 'invalid_request_error', 'anthropic-version: header is required')
    : undefined;
}

/** Every tool_use is answered by the message after it, and every tool_result answers the message before it. */
export function refuseToolOrder(request: MessagesRequest): ErrorReply | undefined {
  const turns = merged(request);
  if (turns[0]?.role === 'assistant')
    return error(400, 'invalid_request_error', 'messages: first message must use the "user" role');
  for (const [at, turn] of turns.entries()) {
    const asked = turns[at - 1]?.role === 'assistant' ? toolUses(turns[at - 1]?.blocks ?? []) : [];
    const answered = turn.blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id ?? ''] : []));
    const unknown = answered.find((id) => !asked.includes(id));
    if (turn.role === 'user' && unknown !== undefined)
      return error(
        400,
        'invalid_request_error',
        `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${unknown}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    const missing = asked.find((id) => !answered.includes(id));
    if (missing !== undefined)
      return error(
        400,
        'invalid_request_error',
        `messages.${at - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    if (turn.blocks.some((block) => block.type === 'text' && (block.text ?? '') === ''))
      return error(400, 'invalid_request_error', 'messages: text content blocks must be non-empty');
  }
  return undefined;
}

/** Like the real one, neighbours of one role count as one message. */
function merged(request: MessagesRequest): { role: string; blocks: RequestBlock[] }[] {
  const turns: { role: string; blocks: RequestBlock[] }[] = [];
  for (const { role, content } of request.messages) {
    if (role === 'system') continue;
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...content);
    else turns.push({ role, blocks: [...content] });
  }
  return turns;
}

const toolUses = (blocks: readonly RequestBlock[]): string[] =>
  blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id ?? ''] : []));

/** The text of a tool_result's content, whichever of its shapes it has. */
export function resultText(block: RequestBlock): string {
  const Parts = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
  const read = Parts.safeParse(block.content ?? '');
  if (!read.success) return '';
  return typeof read.data === 'string' ? read.data : read.data.map((part) => part.text ?? '').join('\n');
}
