import { type Options, type Query, query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';

type Uuid = ReturnType<typeof crypto.randomUUID>;

export interface HarnessEvents {
  message(message: unknown): void;
  /** Once, at the end; with what went wrong, if anything. Not after `kill`. */
  ended(failure: string | undefined): void;
}

/** Commands of the harness that a message may call. Any other text, `/x` and `@file` included, is only text. */
const COMMAND = /^\/compact(\s|$)/;

/** The SDK takes this option, but its types don't show it. Without it, what is queued would still be answered. */
interface CancellingInterrupt {
  interrupt(options: { cancelQueued: boolean }): Promise<unknown>;
}

/** One run of the harness's process, with its input held open. Starts at once, before there is anything to say. */
export class Harness {
  readonly #query: Query;
  readonly #outbox: SDKUserMessage[] = [];
  #wake: (() => void) | undefined;
  #finished = false;
  #killed = false;

  constructor(options: Options, events: HarnessEvents) {
    this.#query = query({ prompt: this.#input(), options });
    void this.#pump(events);
  }

  send(uuid: Uuid, text: string): void {
    this.#outbox.push({
      type: 'user',
      uuid,
      parent_tool_use_id: null,
      message: { role: 'user', content: text },
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

  kill(): void {
    this.#killed = true;
    this.finish();
    this.#query.close();
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
