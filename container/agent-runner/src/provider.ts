import type { ErrorClass, McpServers } from '@nanoclaw/protocol';
import type { Tool } from './tools/tool.ts';

/** The contract of a model harness: `providers/<name>/runner.ts` exports `createProvider: ProviderFactory`. */

export interface ProviderOptions {
  assistantName: string;
  /** Names of the harness's own tools that the model may see; absent: the provider's default list. */
  allowedTools?: readonly string[];
  /** Environment for the harness, on top of the runner's own PATH, HOME and proxy variables. */
  env: Readonly<Record<string, string>>;
  /** Our own tools, offered beside the harness's. */
  tools: readonly Tool[];
  /** Where the agent works: its group's folder. */
  cwd: string;
  additionalDirectories: readonly string[];
  /** Where it keeps, as Markdown, what was said before a conversation is made shorter or given up. */
  conversations: string;
  /** The group's own, which offer tools of theirs; a harness that knows no MCP leaves them out. */
  mcpServers?: McpServers;
  /** What the model may call up: `<folder>/<name>/SKILL.md`, and no others. Absent: whatever the harness brings itself. */
  skills?: { folder: string; names: readonly string[] };
  log(line: string): void;
}

export interface QueryInput {
  /** What an earlier query's `init` or `settled` reported, to go on from there. */
  continuation?: string;
  /** Appended to the harness's own system prompt. */
  systemAddendum: string;
  /** Absent: the provider's own default. */
  model?: string;
  effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max';
}

/** Ids are the caller's, one for each push; a provider reports what it did by the same ids. */
export type ProviderEvent =
  | { type: 'init'; continuation: string }
  /** The model has begun to read this push. */
  | { type: 'started'; id: string }
  /** What the model has written so far of the text that it is at: each one holds those before. May be left out, or come too seldom. */
  | { type: 'partial'; text: string }
  /** Text that the model said on the way, before a tool call. */
  | { type: 'progress'; text: string }
  /**
   * Something happened; `tool` where it was one that began or ended, `subject`: what it is at, fit to be shown. `silenceMs`: for how long the provider, from now on,
   * waits for a word of the model while no tool runs, before it gives up by itself.
   */
  | {
      type: 'activity';
      tool?: { phase: 'start' | 'end'; id: string; name: string; subject?: string; declaredTimeoutMs?: number };
      silenceMs?: number;
    }
  /** All that goes on behind the turns, whenever it has changed; `parent`: of what another one began. `isLost`: what was there and isn't has come to nothing. */
  | { type: 'background'; running: readonly { id: string; what: string; parent?: string }[]; isLost?: boolean }
  /** A turn that nobody asked for, since such work has `ended`: it is settled under this id. */
  | { type: 'resumed'; id: string; ended: readonly string[] }
  /** The model has read these and this is the last text that it had to say about them ('' for none). */
  | { type: 'settled'; ids: readonly string[]; text: string; continuation?: string }
  /** Of a turn, at its end; `turn`: the push that began it. `soFar`: it still runs; the next figures of it take their place. May be left out. */
  | {
      type: 'usage';
      turn?: string;
      soFar?: boolean;
      model?: string;
      inputTokens: number;
      outputTokens: number;
      cacheReadTokens?: number;
      cacheWriteTokens?: number;
      costUsd?: number;
      durationMs?: number;
    }
  /** These ended without an answer; all open ones when `ids` is absent. After it the query may still be alive. */
  | {
      type: 'error';
      class: ErrorClass;
      retryable: boolean;
      message: string;
      ids?: readonly string[];
      retryAfterMs?: number;
      /** The continuation can't be used any more: start afresh. */
      continuationLost?: boolean;
    };

export interface AgentQuery {
  /** Hands over a prompt: begins a turn, or joins the one that runs. `images`: files that it names and that may be pictures. */
  push(id: string, text: string, images?: readonly string[]): void;
  /** Ends the running turn soon, and all that goes on behind it. What was open is then reported as settled with what was said, or as an error. */
  interrupt(): Promise<void>;
  /** Makes the conversation shorter, in a turn of its own; settled with a sentence that says what came of it. */
  compact(id: string): void;
  /** No more pushes; `events` ends when the harness has. Idempotent. */
  end(): void;
  /** Ends, never throws: failures are `error` events. */
  readonly events: AsyncIterable<ProviderEvent>;
}

export interface Provider {
  readonly name: string;
  /** False: the caller doesn't push while a turn runs. */
  readonly reportsById: boolean;
  query(input: QueryInput): AgentQuery;
  /** Keeps what was said in a conversation that nobody goes on with. Never rejects. */
  archive?(continuation: string): Promise<void>;
}

export type ProviderFactory = (options: ProviderOptions) => Provider | Promise<Provider>;
