import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AgentQuery, ProviderEvent, ProviderOptions, QueryInput } from '@nanoclaw/agent-runner/provider';
import type { Tool } from '@nanoclaw/agent-runner/tool';
import {
  createMessagesApi,
  type Keys,
  type MessageReply,
  type MessagesApi,
  message,
  TEST_KEY,
  tool,
} from '../../../test/fakes/messages-api/index.ts';
import { createProvider } from '../runner.ts';

/** The real harness against the scripted API: everything but the far end is as it runs in a sandbox. */

export type Event<Type extends ProviderEvent['type']> = Extract<ProviderEvent, { type: Type }>;

/** Only for what never comes: a busy machine takes ten times as long as an idle one. */
const DEADLINE_MS = 150_000;

export class Conversation {
  readonly query: AgentQuery;
  readonly events: ProviderEvent[] = [];
  readonly ended: Promise<void>;
  #look: (() => void) | undefined;

  constructor(query: AgentQuery) {
    this.query = query;
    this.ended = this.#collect();
  }

  of<Type extends ProviderEvent['type']>(type: Type): Event<Type>[] {
    return this.events.filter((event): event is Event<Type> => event.type === type);
  }

  /** What ended, in order: the ids and the text, or the class of the error. */
  get outcomes(): { ids: readonly string[]; text?: string; error?: string }[] {
    return this.events.flatMap((event): { ids: readonly string[]; text?: string; error?: string }[] => {
      if (event.type === 'settled') return [{ ids: event.ids, text: event.text }];
      if (event.type === 'error') return [{ ids: event.ids ?? [], error: event.class }];
      return [];
    });
  }

  get continuation(): string {
    return this.of('init').at(-1)?.continuation ?? '';
  }

  async until(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
    const until = Date.now() + deadlineMs;
    while (!condition()) {
      const left = until - Date.now();
      assert.ok(left > 0, `waited for ${what}; there was ${JSON.stringify(this.events).slice(0, 2_000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 50));
        this.#look = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  outcome(n: number, deadlineMs?: number): Promise<void> {
    return this.until(`outcome ${n}`, () => this.outcomes.length >= n, deadlineMs);
  }

  tool(phase: 'start' | 'end', name: string, n = 1): Promise<void> {
    const count = () => this.of('activity').filter(({ tool }) => tool?.phase === phase && tool.name === name).length;
    return this.until(`${phase} of ${name}`, () => count() >= n);
  }

  async end(): Promise<void> {
    this.query.end();
    await this.ended;
  }

  async #collect(): Promise<void> {
    for await (const event of this.query.events) {
      this.events.push(event);
      this.#look?.();
    }
  }
}

export class Rig {
  readonly api: MessagesApi;
  readonly home: string;
  readonly logged: string[] = [];
  readonly #open: Conversation[] = [];

  private constructor(api: MessagesApi) {
    this.api = api;
    this.home = mkdtempSync(join(tmpdir(), 'nanoclaw-claude-'));
    mkdirSync(this.cwd);
  }

  static async start(keys: Keys = { apiKey: TEST_KEY }): Promise<Rig> {
    return new Rig(await createMessagesApi({ keys }));
  }

  get cwd(): string {
    return join(this.home, 'agent');
  }

  async converse(
    more: Partial<ProviderOptions> & Omit<QueryInput, 'systemAddendum'> & { addendum?: string } = {},
  ): Promise<Conversation> {
    const { continuation, model, effort, addendum, env, ...options } = more;
    const provider = await createProvider({
      assistantName: 'Andy',
      tools: [],
      cwd: this.cwd,
      conversations: join(this.home, 'conversations'),
      additionalDirectories: [],
      log: (line) => this.logged.push(line),
      ...options,
      env: {
        HOME: this.home,
        ANTHROPIC_BASE_URL: this.api.url,
        ANTHROPIC_API_KEY: TEST_KEY,
        // As root, the harness wants to be told that it stands in a sandbox.
        IS_SANDBOX: '1',
        // Trouble shows after one retry instead of four.
        CLAUDE_CODE_MAX_RETRIES: '1',
        ...env,
      },
    });
    const conversation = new Conversation(
      provider.query({
        systemAddendum: addendum ?? '# You are Andy',
        ...(continuation === undefined ? {} : { continuation }),
        ...(model === undefined ? {} : { model }),
        ...(effort === undefined ? {} : { effort }),
      }),
    );
    this.#open.push(conversation);
    return conversation;
  }

  async close(): Promise<void> {
    await this.api.close();
    await Promise.all(this.#open.map((conversation) => conversation.end()));
    rmSync(this.home, { recursive: true, force: true });
  }
}

/**
 * A command that lasts until `release`, then a tool of ours. What was pushed while the command ran has reached the
 * harness before the turn goes on: its input is a pipe, and the answer of our tool goes through it too.
 */
export function heldTools(rig: Rig): { tools: Tool[]; reply: MessageReply; release(): void } {
  const file = join(rig.home, `go-${crypto.randomUUID()}`);
  const pass: Tool = { name: 'pass', description: 'Passes.', input: {}, run: async () => ({ text: 'passed' }) };
  const command = `until [ -e ${file} ]; do sleep 0.05; done; echo released`;
  const reply = message(tool('Bash', { command }), tool('mcp__nanoclaw__pass', {}));
  return { tools: [pass], reply, release: () => mkdirSync(file) };
}

/** Longer than the runner's own limit: a start of the harness takes its time on a busy machine. */
export function scenario(name: string, run: () => Promise<void>): void {
  test(name, { timeout: 170_000 }, run);
}

/** The harness processes that this process has started and that still live. */
export function harnessPids(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.map(Number).filter((pid) => pid > 0 && isHarness(pid));
}

function isHarness(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) && readFileSync(file, 'utf8').includes('claude-agent-sdk');
}
