import { stat } from 'node:fs/promises';
import type { HookCallback, HookCallbackMatcher, HookEvent, HookJSONOutput } from '@anthropic-ai/claude-agent-sdk';
import { endMarked, TOOL_MARK } from '@nanoclaw/agent-runner/processes';
import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { z } from 'zod';
import { declaredTimeout } from './declared-timeout.ts';
import { subjectOf } from './subject.ts';

/** The harness would let a command whose time is over go on behind the turn. It is ended by us before that. */
export const OVERDUE_MS = 10_000;

const Hooked = z.object({
  hook_event_name: z.string(),
  tool_name: z.string(),
  tool_use_id: z.string(),
  tool_input: z.unknown(),
  /** The helper that called it. */
  agent_id: z.string().optional(),
});
const Behind = z.looseObject({ run_in_background: z.literal(true) });
const Command = z.looseObject({ command: z.string() });
const OfFile = z.object({ file_path: z.string() });

interface Running {
  name: string;
  /** What all processes of this tool carry. */
  mark: string;
  helper: string | undefined;
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
  /** A helper whose work goes on when a turn has ended: neither that turn's end is its own, nor are its tools that turn's. */
  isBehind?(helper: string): boolean;
}

/** Which tools run now, the helpers' included; and the end of those that hang, each for itself. */
export class ToolsInFlight {
  readonly #running = new Map<string, Running>();
  readonly #options: ToolsOptions;

  constructor(options: ToolsOptions) {
    this.#options = options;
  }

  get size(): number {
    return [...this.#running.values()].filter((tool) => !this.#isBehind(tool.helper)).length;
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
    if (!this.#isBehind(tool.helper))
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

  /** The turn is over: nothing of it runs any more. */
  endTurn(): void {
    for (const [id, tool] of [...this.#running]) {
      if (this.#isBehind(tool.helper)) continue;
      tool.condemned = true;
      this.end(id);
    }
  }

  /** The harness is gone, and all that it ran. */
  endAll(): void {
    this.condemn();
    for (const id of [...this.#running.keys()]) this.end(id);
  }

  #isBehind(helper: string | undefined): boolean {
    return helper !== undefined && this.#options.isBehind?.(helper) === true;
  }

  async #see(input: unknown): Promise<HookJSONOutput> {
    const read = Hooked.safeParse(input);
    if (!read.success) return {};
    const { hook_event_name: event, tool_name: name, tool_use_id: id, tool_input, agent_id } = read.data;
    if (event === 'PreToolUse') return (await refusal(name, tool_input)) ?? this.#begin(id, name, tool_input, agent_id);
    const hung = this.end(id);
    if (event === 'PostToolUse' && Behind.safeParse(tool_input).success) {
      return { hookSpecificOutput: { hookEventName: event, additionalContext: WHOSE } };
    }
    if (!hung || event !== 'PostToolUseFailure' || name !== 'Bash') return {};
    const additionalContext =
      'The command did not end in its time. It was ended, with every process that it had started.';
    return { hookSpecificOutput: { hookEventName: event, additionalContext } };
  }

  #begin(id: string, name: string, input: unknown, helper: string | undefined): HookJSONOutput {
    const { send, env } = this.#options;
    const declaredMs = declaredTimeout(name, input, env);
    const mark = crypto.randomUUID();
    const overdue = setTimeout(() => this.#overdue(id, mark), declaredMs);
    overdue.unref();
    this.#running.set(id, { name, mark, helper, declaredMs, since: performance.now(), condemned: false, overdue });
    const subject = subjectOf(name, input);
    const tool = { phase: 'start' as const, id, name, declaredTimeoutMs: declaredMs, ...(subject && { subject }) };
    if (!this.#isBehind(helper)) send({ type: 'activity', tool });
    const updatedInput = changed(name, input, { mark, declaredMs, subject });
    return updatedInput ? { hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput } } : {};
  }

  #overdue(id: string, mark: string): void {
    const count = endMarked(mark);
    const what = count > 0 ? `${count} processes ended` : 'it has no process of its own, and can not be ended alone';
    this.#options.log(`tool ${id} is overdue: ${what}`);
  }
}

const WHOSE =
  'Its result belongs to the chat that you are answering now. Should you be answering another one when it comes, send it with <message to="…">.';

/** As it is to run; undefined: as it is. A helper goes on behind the turn only where that was asked for. */
function changed(
  name: string,
  input: unknown,
  { mark, declaredMs, subject }: { mark: string; declaredMs: number; subject: string | undefined },
): Record<string, unknown> | undefined {
  if (name === 'Agent' || name === 'Task') {
    const given = z.record(z.string(), z.unknown()).safeParse(input).data;
    return given && { ...given, run_in_background: given.run_in_background === true };
  }
  const given = name === 'Bash' ? Command.safeParse(input).data : undefined;
  return (
    given && {
      ...given,
      // What goes on behind the turns is called by this.
      description: subject ?? 'a command',
      command: `export ${TOOL_MARK}=${mark}; ${given.command}`,
      ...(Behind.safeParse(input).success ? {} : { timeout: declaredMs + OVERDUE_MS }),
    }
  );
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
