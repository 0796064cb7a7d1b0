import { stat } from 'node:fs/promises';
import type { HookCallback, HookCallbackMatcher, HookEvent, HookJSONOutput } from '@anthropic-ai/claude-agent-sdk';
import { endMarked, TOOL_MARK } from '@nanoclaw/agent-runner/processes';
import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { z } from 'zod';
import { declaredTimeout } from './declared-timeout.ts';

/** How long after its declared timeout a tool is ended by us: the harness does it at the time itself. */
const OVERDUE_MS = 10_000;

const Hooked = z.object({
  hook_event_name: z.string(),
  tool_name: z.string(),
  tool_use_id: z.string(),
  tool_input: z.unknown(),
});
const Command = z.looseObject({ command: z.string() });
const OfFile = z.object({ file_path: z.string() });

interface Running {
  name: string;
  /** What all processes of this tool carry. */
  mark: string;
  declaredMs: number;
  since: number;
  /** Whatever it has left running ends with it. */
  condemned: boolean;
  overdue: ReturnType<typeof setTimeout>;
}

export interface ToolsOptions {
  send(event: ProviderEvent): void;
  log(line: string): void;
  /** The harness's environment: it may set other limits. */
  env: Readonly<Record<string, string | undefined>>;
  overdueMs?: number;
}

/** Which tools run now, the helpers' included; and the end of those that hang, each for itself. */
export class ToolsInFlight {
  readonly #running = new Map<string, Running>();
  readonly #options: ToolsOptions;

  constructor(options: ToolsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  hooks(): Partial<Record<HookEvent, HookCallbackMatcher[]>> {
    const see: HookCallback = (input) => this.#see(input);
    return {
      PreToolUse: [{ hooks: [see] }],
      PostToolUse: [{ hooks: [see] }],
      PostToolUseFailure: [{ hooks: [see] }],
    };
  }

  /** True when it was ended because it took too long. */
  end(id: string): boolean {
    const tool = this.#running.get(id);
    if (!tool) return false;
    this.#running.delete(id);
    clearTimeout(tool.overdue);
    this.#options.send({ type: 'activity', tool: { phase: 'end', id, name: tool.name } });
    const hung = performance.now() - tool.since >= tool.declaredMs;
    // The harness has ended what stood below its shell. What had left it, as a daemon does, is still there.
    if (hung || tool.condemned) endMarked(tool.mark);
    return hung;
  }

  /** They are about to be interrupted: none ends by itself any more. */
  condemn(): void {
    for (const tool of this.#running.values()) tool.condemned = true;
  }

  /** The turn is over, or the harness gone: nothing of it runs any more. */
  endAll(): void {
    this.condemn();
    for (const id of [...this.#running.keys()]) this.end(id);
  }

  async #see(input: unknown): Promise<HookJSONOutput> {
    const read = Hooked.safeParse(input);
    if (!read.success) return {};
    const { hook_event_name: event, tool_name: name, tool_use_id: id, tool_input } = read.data;
    if (event === 'PreToolUse') return (await refusal(name, tool_input)) ?? this.#begin(id, name, tool_input);
    if (!this.end(id) || event !== 'PostToolUseFailure' || name !== 'Bash') return {};
    const additionalContext =
      'The command did not end in its time. It was ended, with every process that it had started.';
    return { hookSpecificOutput: { hookEventName: event, additionalContext } };
  }

  #begin(id: string, name: string, input: unknown): HookJSONOutput {
    const declaredMs = declaredTimeout(name, input, this.#options.env);
    const mark = crypto.randomUUID();
    const overdue = setTimeout(() => this.#overdue(id, mark), declaredMs + (this.#options.overdueMs ?? OVERDUE_MS));
    overdue.unref();
    this.#running.set(id, { name, mark, declaredMs, since: performance.now(), condemned: false, overdue });
    this.#options.send({ type: 'activity', tool: { phase: 'start', id, name, declaredTimeoutMs: declaredMs } });
    const command = name === 'Bash' ? Command.safeParse(input) : undefined;
    if (!command?.success) return {};
    const updatedInput = { ...command.data, command: `export ${TOOL_MARK}=${mark}; ${command.data.command}` };
    return { hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput } };
  }

  #overdue(id: string, mark: string): void {
    const count = endMarked(mark);
    const what = count > 0 ? `${count} processes ended` : 'it has no process of its own, and can not be ended alone';
    this.#options.log(`tool ${id} is overdue: ${what}`);
  }
}

/** Opening a pipe that nobody writes to would hold the tool for ever, and nothing could end it alone. */
async function refusal(name: string, input: unknown): Promise<HookJSONOutput | undefined> {
  const file = name === 'Read' ? OfFile.safeParse(input) : undefined;
  if (!file?.success) return undefined;
  const found = await stat(file.data.file_path).catch(() => undefined);
  // What is not there is the tool's own to say.
  if (found === undefined || found.isFile() || found.isDirectory()) return undefined;
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: `${file.data.file_path} is a pipe or a device, not a file.`,
    },
  };
}
