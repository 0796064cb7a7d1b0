import type { HookCallback, HookCallbackMatcher, HookEvent } from '@anthropic-ai/claude-agent-sdk';
import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { z } from 'zod';

/** The harness's own limit for a command that names none. */
const BASH_DEFAULT_MS = 120_000;
/** A helper works for as long as a turn may. */
const AGENT_MS = 30 * 60_000;

const Hooked = z.object({
  hook_event_name: z.string(),
  tool_name: z.string(),
  tool_use_id: z.string(),
  tool_input: z.unknown(),
});
const Timed = z.object({ timeout: z.number().positive() });

/** Which tools run now, the helpers' included. */
export class ToolsInFlight {
  readonly #running = new Map<string, string>();
  readonly #send: (event: ProviderEvent) => void;

  constructor(send: (event: ProviderEvent) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#running.size;
  }

  hooks(): Partial<Record<HookEvent, HookCallbackMatcher[]>> {
    const see: HookCallback = async (input) => {
      this.#see(input);
      return {};
    };
    return {
      PreToolUse: [{ hooks: [see] }],
      PostToolUse: [{ hooks: [see] }],
      PostToolUseFailure: [{ hooks: [see] }],
    };
  }

  /** The turn is over, or the harness gone: nothing of it runs any more. */
  endAll(): void {
    for (const [id, name] of this.#running) this.#send({ type: 'activity', tool: { phase: 'end', id, name } });
    this.#running.clear();
  }

  #see(input: unknown): void {
    const read = Hooked.safeParse(input);
    if (!read.success) return;
    const { hook_event_name, tool_name: name, tool_use_id: id, tool_input } = read.data;
    if (hook_event_name === 'PreToolUse') {
      this.#running.set(id, name);
      const declaredTimeoutMs = declaredTimeout(name, tool_input);
      const declared = declaredTimeoutMs === undefined ? {} : { declaredTimeoutMs };
      this.#send({ type: 'activity', tool: { phase: 'start', id, name, ...declared } });
    } else if (this.#running.delete(id)) this.#send({ type: 'activity', tool: { phase: 'end', id, name } });
  }
}

function declaredTimeout(name: string, input: unknown): number | undefined {
  if (name === 'Agent' || name === 'Task') return AGENT_MS;
  if (name !== 'Bash') return undefined;
  const timed = Timed.safeParse(input);
  return timed.success ? timed.data.timeout : BASH_DEFAULT_MS;
}
