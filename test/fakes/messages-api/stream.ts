import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Block, Gate, MessageReply, Usage } from './reply.ts';

/** Bytes of text in one delta: like the real one, a long text comes in many. */
const DELTA = 16 * 1024;

const isGate = (part: string | Gate): part is Gate => typeof part !== 'string';

export function usageOf(reply: MessageReply): Required<Usage> {
  return {
    input_tokens: 100,
    output_tokens: 20,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    ...reply.usage,
  };
}

const stopReason = (reply: MessageReply): string =>
  reply.stopReason ?? (reply.blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn');

/** The whole message at once, for a request that doesn't stream. */
export async function wholeMessage(reply: MessageReply, model: string): Promise<Record<string, unknown>> {
  for (const block of reply.blocks)
    if (block.type === 'text') for (const part of block.parts) if (isGate(part)) await part.opened;
  return {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: reply.blocks.map((block) => {
      if (block.type === 'text') return { type: 'text', text: block.parts.filter((part) => !isGate(part)).join('') };
      if (block.type === 'thinking') return { type: 'thinking', thinking: block.text, signature: 'scripted' };
      return { type: 'tool_use', id: block.id ?? toolId(), name: block.name, input: block.input };
    }),
    stop_reason: stopReason(reply),
    stop_sequence: null,
    usage: usageOf(reply),
  };
}

/** Writes the message as server-sent events. Resolves when all is written, or the client has gone. */
export async function streamMessage(response: ServerResponse, reply: MessageReply, model: string): Promise<void> {
  const gone = new Promise<'gone'>((resolve) => response.once('close', () => resolve('gone')));
  const send = async (event: string, data: Record<string, unknown>): Promise<void> => {
    if (response.destroyed) return;
    if (response.write(`event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`)) return;
    await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone]);
  };
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': `req_${randomUUID()}`,
  });
  response.flushHeaders();
  const usage = usageOf(reply);
  await send('message_start', {
    message: {
      id: `msg_${randomUUID()}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  });
  await send('ping', {});
  for (const [index, block] of reply.blocks.entries()) {
    await send('content_block_start', { index, content_block: opening(block) });
    for await (const delta of deltas(block, gone)) await send('content_block_delta', { index, delta });
    const last = index === reply.blocks.length - 1;
    if (last && reply.ending !== undefined && reply.ending !== 'stop')
      return await endBadly(response, reply.ending, gone);
    await send('content_block_stop', { index });
  }
  await send('message_delta', {
    delta: { stop_reason: stopReason(reply), stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  });
  await send('message_stop', {});
  response.end();
}

async function endBadly(
  response: ServerResponse,
  ending: 'cut' | 'stall' | 'error',
  gone: Promise<'gone'>,
): Promise<void> {
  if (ending === 'error') {
    const failure = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    response.end(`event: error\ndata: ${JSON.stringify(failure)}\n\n`);
  } else if (ending === 'cut') response.socket?.destroy();
  else await gone;
}

function opening(block: Block): Record<string, unknown> {
  if (block.type === 'text') return { type: 'text', text: '' };
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  return { type: 'tool_use', id: block.id ?? toolId(), name: block.name, input: {} };
}

async function* deltas(block: Block, gone: Promise<'gone'>): AsyncGenerator<Record<string, unknown>> {
  if (block.type === 'tool_use') {
    yield* cutUp(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
    return;
  }
  if (block.type === 'thinking') {
    yield { type: 'thinking_delta', thinking: block.text };
    yield { type: 'signature_delta', signature: 'scripted' };
    return;
  }
  for (const part of block.parts) {
    if (!isGate(part)) yield* cutUp(part).map((text) => ({ type: 'text_delta', text }));
    else if ((await Promise.race([part.opened, gone])) === 'gone') return;
  }
}

function cutUp(text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += DELTA) pieces.push(text.slice(at, at + DELTA));
  return pieces;
}

const toolId = (): string => `toolu_${randomUUID().replaceAll('-', '')}`;
