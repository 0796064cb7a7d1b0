import { type ChildProcess, spawn } from 'node:child_process';
import {
  type Options,
  type Query,
  query,
  type SDKUserMessage,
  type SpawnOptions,
} from '@anthropic-ai/claude-agent-sdk';
import type { ImageBlock } from './images.ts';

type Uuid = ReturnType<typeof crypto.randomUUID>;

export interface HarnessEvents {
  message(message: unknown): void;
  /** Once, at the end; with what went wrong, if anything. Not after `kill`. */
  ended(failure: string | undefined): void;
}

/** Commands of the harness that a message may call. Any other text, `/x` and `@file` included, is only text. */
const COMMAND = /^\/compact(\s|$)/;

const KILL_GRACE_MS = 500;

/** The SDK takes this option, but its types don't show it. Without it, what is queued would still be answered. */
interface CancellingInterrupt {
  interrupt(options: { cancelQueued: boolean }): Promise<unknown>;
}

/** One run of the harness's process, with its input held open. Starts at once, before there is anything to say. */
export class Harness {
  readonly #query: Query;
  readonly #outbox: SDKUserMessage[] = [];
  #wake: (() => void) | undefined;
  readonly #stderr: ((text: string) => void) | undefined;
  #process: ChildProcess | undefined;
  #finished = false;
  #killed = false;

  constructor(options: Options, events: HarnessEvents) {
    this.#stderr = options.stderr;
    // Spawned by us: the SDK closes by the end of input and 2 s of grace, in which a harness that was given up would go
    // on calling the model and its tools.
    this.#query = query({
      prompt: this.#input(),
      options: { ...options, spawnClaudeCodeProcess: (how) => this.#spawn(how) },
    });
    void this.#pump(events);
  }

  send(uuid: Uuid, text: string, images: readonly ImageBlock[] = []): void {
    this.#outbox.push({
      type: 'user',
      uuid,
      parent_tool_use_id: null,
      message: { role: 'user', content: images.length === 0 ? text : [{ type: 'text', text }, ...images] },
      ...(COMMAND.test(text) ? {} : { client_composed: true }),
    });
    this.#wake?.();
  }

  /** Ends the turn that runs; what waits for its own turn is cancelled. */
  async interrupt(): Promise<void> {
    const query: CancellingInterrupt = this.#query;
    await query.interrupt({ cancelQueued: true });
  }

  /** No more input: it ends by itself after what it has. */
  finish(): void {
    this.#finished = true;
    this.#wake?.();
  }

  /** At once: nothing more is sent, and it has a moment to end its tools before it is ended itself. */
  kill(): void {
    this.#killed = true;
    this.#outbox.length = 0;
    this.finish();
    const child = this.#process;
    child?.kill('SIGTERM');
    const force = setTimeout(() => child?.kill('SIGKILL'), KILL_GRACE_MS);
    child?.once('exit', () => clearTimeout(force));
    this.#query.close();
  }

  #spawn({ command, args, cwd, env }: SpawnOptions) {
    const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#stderr?.(text));
    this.#process = child;
    return child;
  }

  async #pump(events: HarnessEvents): Promise<void> {
    let failure: string | undefined;
    try {
      for await (const message of this.#query) if (!this.#killed) events.message(message);
    } catch (cause) {
      failure = cause instanceof Error ? cause.message : String(cause);
    }
    if (!this.#killed) events.ended(failure);
  }

  async *#input(): AsyncGenerator<SDKUserMessage> {
    for (;;) {
      const next = this.#outbox.shift();
      if (next !== undefined) yield next;
      else if (this.#finished) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
