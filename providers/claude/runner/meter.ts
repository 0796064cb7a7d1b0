import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { z } from 'zod';
import { costOf, type Tokens } from './rates.ts';

/** What the running turn has cost so far, by what each answer of the API says of itself; subagents' too. */

const count = z.number().nonnegative().nullish();
const Usage = z
  .object({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
  })
  .transform((usage) => ({
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
  }));
const Message = z.object({ id: z.string(), model: z.string(), usage: Usage });
const parent = z.string().nullish();
const Heard = z.union([
  z.object({
    type: z.literal('stream_event'),
    parent_tool_use_id: parent,
    event: z.object({ type: z.literal('message_start'), message: Message }),
  }),
  z.object({
    type: z.literal('stream_event'),
    parent_tool_use_id: parent,
    event: z.object({
      type: z.literal('message_delta'),
      delta: z.object({ stop_reason: z.string().nullish() }),
      usage: Usage,
    }),
  }),
  z.object({ type: z.literal('assistant'), parent_tool_use_id: parent, message: Message }),
]);
type Heard = z.infer<typeof Heard>;

interface Answer {
  model: string;
  tokens: Tokens;
}

const NONE: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

export class Meter {
  readonly #answers = new Map<string, Answer>();
  /** The answer that streams, by the tool call that it serves; '' for the agent itself. */
  readonly #streaming = new Map<string, string>();
  #turn: string | undefined;
  #told = 0;

  /** The push that began it, or a name where none did. */
  get turn(): string {
    this.#turn ??= crypto.randomUUID();
    return this.#turn;
  }

  began(pushId: string): void {
    this.#turn ??= pushId;
  }

  /** Whatever the harness says. Returns the figures where they have grown and the turn goes on. */
  hear(message: unknown): ProviderEvent | undefined {
    const read = Heard.safeParse(message);
    if (!read.success) return undefined;
    const heard = read.data;
    const by = heard.parent_tool_use_id ?? '';
    if (heard.type === 'assistant') this.#note(heard.message.id, heard.message.model, heard.message.usage);
    else if (heard.event.type === 'message_start') {
      const { id, model, usage } = heard.event.message;
      this.#streaming.set(by, id);
      this.#note(id, model, usage);
    } else {
      const id = this.#streaming.get(by);
      const answer = id === undefined ? undefined : this.#answers.get(id);
      if (id !== undefined && answer) this.#note(id, answer.model, heard.event.usage);
    }
    return goesOn(heard) ? this.reckoned() : undefined;
  }

  /** Undefined when nothing has come since it was last asked. */
  reckoned(): ProviderEvent | undefined {
    const answers = [...this.#answers.values()];
    const costUsd = answers.reduce((sum, { model, tokens }) => sum + costOf(model, tokens), 0);
    if (costUsd <= this.#told) return undefined;
    this.#told = costUsd;
    const all = answers.map(({ tokens }) => tokens).reduce(plus, NONE);
    const main = answers.toSorted((a, b) => b.tokens.output - a.tokens.output)[0]?.model;
    return {
      type: 'usage',
      turn: this.turn,
      soFar: true,
      ...(main === undefined ? {} : { model: main }),
      inputTokens: all.input,
      outputTokens: all.output,
      cacheReadTokens: all.cacheRead,
      cacheWriteTokens: all.cacheWrite,
      costUsd,
    };
  }

  over(): void {
    this.#answers.clear();
    this.#streaming.clear();
    this.#turn = undefined;
    this.#told = 0;
  }

  /** The same answer is told of several times, each time with at least as much. */
  #note(id: string, model: string, usage: Tokens): void {
    const known = this.#answers.get(id)?.tokens ?? NONE;
    const most = (of: keyof Tokens) => Math.max(known[of], usage[of]);
    this.#answers.set(id, {
      model,
      tokens: {
        input: most('input'),
        output: most('output'),
        cacheRead: most('cacheRead'),
        cacheWrite: most('cacheWrite'),
      },
    });
  }
}

/** With the agent's own last answer the turn ends, and its figures come from the harness. */
function goesOn(heard: Heard): boolean {
  if (typeof heard.parent_tool_use_id === 'string') {
    return heard.type === 'assistant' || heard.event.type === 'message_delta';
  }
  return (
    heard.type === 'stream_event' &&
    heard.event.type === 'message_delta' &&
    heard.event.delta.stop_reason !== 'end_turn' &&
    heard.event.delta.stop_reason !== 'stop_sequence'
  );
}

function plus(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}
