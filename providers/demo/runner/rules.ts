import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ProviderEvent, ProviderOptions } from '@nanoclaw/agent-runner/provider';
import { runTool, TOOL_TIMEOUT_MS } from '@nanoclaw/agent-runner/tool';
import { runShell } from './shell.ts';

/** What a rule may use. */
export interface Setting {
  options: ProviderOptions;
  /** What it is called now. */
  name: string;
  /** How many messages this conversation has had, this one included. */
  count: number;
  signal: AbortSignal;
  emit(event: ProviderEvent): void;
}

type Rule = [pattern: RegExp, answer: (setting: Setting, ...groups: string[]) => Promise<string> | string];

const COMMAND_TIMEOUT_MS = 60_000;
const TIMED = /^with\s+(\d{1,4})\s*(?:s|seconds?)\s*:\s*([\s\S]+)$/i;
const MAX_READ = 16 * 1024;

export const HELP = `I am a demo: a set of rules, without a model behind me. But I really run in a sandbox of my own, and I really use it. Try:

- run <command>: a shell command in my sandbox; run with 5 seconds: <command> ends it after five
- run ncl help: how I am set up, and what of it I may change
- run side by side: <a line for each command>
- write <file>: <text> and read <file>: files in my folder
- remember <fact> and what do you remember?: my memory, CLAUDE.local.md
- send me <file>: a file, through the tool send_file
- tell <destination>: <text>: a message to somewhere else
- wait <n> seconds: to try /stop, or to write to me meanwhile
- who are you, time, count, ping

For real answers choose a provider with a model: bash nanoclaw.sh --provider claude`;

const rules: readonly Rule[] = [
  // The task of the skill `welcome`.
  [
    /^# Welcome\n/,
    ({ name }) =>
      `Hello, I am ${name}, and this is where you can write to me. I am a demo without a model, but I can show you what runs here: commands in a sandbox, files, notes that I keep. What shall I do first? “What can you do?” is a good beginning.`,
  ],
  [/^(?:what can you do\b.*|help|hello|hi)\W*$/i, () => HELP],
  [/^(Your request [a-z0-9]+ \([\s\S]+)$/, (_, decided) => `I am told: ${decided}`],
  [/^who are you\W*$/i, ({ name }) => `I am ${name}.`],
  [
    /^run\s+side\s+by\s+side\s*:\s*([\s\S]+)$/i,
    async (setting, lines) => {
      const commands = lines.split('\n').flatMap((line) => line.trim() || []);
      return (await Promise.all(commands.map((command) => run(setting, command)))).join('\n\n');
    },
  ],
  [/^run\s+([\s\S]+)$/i, run],
  [
    /^write\s+([^\s:]+)\s*:\s*([\s\S]*)$/i,
    async ({ options }, file, text) => {
      const path = resolve(options.cwd, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${text}\n`);
      return `I wrote ${file}.`;
    },
  ],
  [
    /^read\s+(\S+)$/i,
    async ({ options }, file) => {
      const text = await readFile(resolve(options.cwd, file), 'utf8');
      return text.length > MAX_READ ? `${text.slice(0, MAX_READ)}\n… (cut)` : text || `${file} is empty.`;
    },
  ],
  [
    /^remember\s+(?:that\s+)?([\s\S]+)$/i,
    async ({ options }, fact) => {
      await appendFile(memoryOf(options), `- ${fact.replaceAll(/\s+/g, ' ').trim()}\n`);
      return 'I will remember that.';
    },
  ],
  [
    /^what do you remember\W*$/i,
    async ({ options }) => {
      const memory = await readFile(memoryOf(options), 'utf8').catch(() => '');
      return memory.trim() === '' ? 'Nothing yet. Tell me: remember <fact>' : `I remember:\n${memory.trimEnd()}`;
    },
  ],
  [
    /^send\s+me\s+(\S+)$/i,
    async ({ options, emit }, path) => {
      const tool = options.tools.find((each) => each.name === 'send_file');
      if (!tool) return 'I have no tool to send files with.';
      const result = await inTool(emit, tool.name, TOOL_TIMEOUT_MS, () => runTool(tool, { path }));
      return result.isError ? result.text : `I have queued ${path}.`;
    },
  ],
  [
    /^tell\s+([^\s:]+)\s*:\s*([\s\S]+)$/i,
    (_, name, text) => `<message to="${name}">${text}</message>\nI am telling ${name}.`,
  ],
  [
    /^wait\s+(\d{1,4})\s*(?:s|seconds?)?\W*$/i,
    async ({ signal, emit }, seconds) => {
      const ms = Number(seconds) * 1000;
      emit({ type: 'progress', text: `Waiting for ${seconds} seconds …` });
      await inTool(emit, 'wait', ms + 10_000, () => pause(ms, signal));
      return signal.aborted ? 'Stopped.' : `I waited for ${seconds} seconds.`;
    },
  ],
  [/^(?:what\s+)?time(?:\s+is\s+it)?\W*$/i, () => `It is ${new Date().toISOString()}.`],
  // To the microsecond, so that a client can tell what the way to here has cost.
  [/^ping\W*$/i, () => `pong ${performance.timeOrigin + performance.now()}`],
  [/^count\W*$/i, ({ count }) => `This is message ${count} of our conversation.`],
];

/** The answer to one message. Never throws. */
export async function answer(text: string, setting: Setting): Promise<string> {
  const asked = withoutCall(text.trim(), setting.name);
  for (const [pattern, rule] of rules) {
    const match = pattern.exec(asked);
    if (!match) continue;
    try {
      return await rule(setting, ...match.slice(1));
    } catch (error) {
      return `That did not work: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return 'I am a demo without a model, so I don’t understand that. Ask me: what can you do?';
}

/** In a group it is called first: `@Andy time`. */
function withoutCall(text: string, name: string): string {
  const isNamed = text.toLowerCase().startsWith(`@${name.toLowerCase()}`);
  const rest = isNamed ? text.slice(name.length + 1) : text.replace(/^@[^\s:,]+(?=[\s:,])/, '');
  return rest === text ? text : rest.replace(/^[\s:,]+/, '');
}

/** One command, as a tool of its own. */
function run({ options, signal, emit }: Setting, text: string): Promise<string> {
  const [, seconds, timed] = TIMED.exec(text) ?? [];
  const limitMs = seconds === undefined ? COMMAND_TIMEOUT_MS : Number(seconds) * 1000;
  return inTool(emit, 'shell', limitMs, () => runShell(timed ?? text, options.cwd, limitMs, signal));
}

function memoryOf(options: ProviderOptions): string {
  return join(options.cwd, 'CLAUDE.local.md');
}

async function inTool<T>(
  emit: Setting['emit'],
  name: string,
  declaredTimeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const id = crypto.randomUUID();
  emit({ type: 'activity', tool: { phase: 'start', id, name, declaredTimeoutMs } });
  try {
    return await work();
  } finally {
    emit({ type: 'activity', tool: { phase: 'end', id, name } });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
  });
}
