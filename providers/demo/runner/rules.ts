import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ProviderEvent, ProviderOptions } from '@nanoclaw/agent-runner/provider';
import { runTool, type ToolResult, toolTimeout } from '@nanoclaw/agent-runner/tool';
import { filesText, readNamed } from './files.ts';
import type { Asked } from './prompt.ts';
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
/** Of a count: as fast as a model writes words. */
const STEP_MS = 20;

export const HELP = `I am a demo: a set of rules, without a model behind me. But I really run in a sandbox of my own, and I really use it. Try:

- run <command>: a shell command in my sandbox; run with 5 seconds: <command> ends it after five
- run ncl help: how I am set up, and what of it I may change
- run side by side: <a line for each command>
- write <file>: <text> and read <file>: files in my folder; read finds what you have sent me, too
- remember <fact> and what do you remember?: my memory, CLAUDE.local.md
- search for <words>: in what was said here
- send me <file>, or send <file> to <destination>: a file, through the tool send_file
- tell <destination>: <text>: a message to somewhere else
- ask me <question>: <answer>, <answer>: a question with buttons, whose answer I wait for; ask <destination> … asks elsewhere, and
  ask me within 5 seconds … waits no longer
- show me <title>: <button>, <button>: a card, for whose buttons I don't wait
- say <text>, then <text>: a message that I change afterwards
- remind me in <n> seconds: <text>, and every <cron>: <something to do>; my tasks
- react with <emoji>: to your message, where the chat knows reactions
- count to <n>: slowly, so that you see me write
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
  [/^(Your (?:request [a-z0-9]+ \(|question “)[\s\S]+)$/, (_, decided) => `I am told: ${decided}`],
  [/^(Parts of your answer could not be sent:[\s\S]+?)\nThe rest of/, (_, parts) => `I am told: ${parts}`],
  [
    /^search\s+(?:for\s+)?([\s\S]+)$/i,
    async (setting, words) => plainly(await use(setting, 'search_history', { words })),
  ],
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
  [/^read\s+(\S(?:.*\S)?)$/i, ({ options }, file) => readNamed(options.cwd, file)],
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
    async (setting, path) => {
      const { isError, text } = await use(setting, 'send_file', { path });
      return isError ? text : `I have sent ${path}.`;
    },
  ],
  [
    /^send\s+(\S+)\s+to\s+(\S+)$/i,
    async (setting, path, name) => {
      const { isError, text } = await use(setting, 'send_file', { path, to: name });
      return isError ? text : `I have sent ${path} to ${name}.`;
    },
  ],
  [
    /^ask\s+(\S+)\s+(?:within\s+(\d{1,5})\s*(?:s|seconds?)\s+)?([^:]+):\s*([\s\S]+)$/i,
    async (setting, who, seconds, question, answers) => {
      const options = listed(answers);
      if (options.length < 2) {
        return 'I need two answers or more to choose from, with a comma between them: ask me Tea or coffee?: tea, coffee';
      }
      const input = { ...to(who), title: question.trim(), question: 'Choose one.', options };
      const limit = seconds === undefined ? {} : { timeout_seconds: Number(seconds) };
      return plainly(await use(setting, 'ask_user_question', { ...input, ...limit }));
    },
  ],
  [
    /^show\s+(\S+)\s+([^:]+):\s*([\s\S]+)$/i,
    async (setting, who, title, buttons) =>
      plainly(await use(setting, 'send_card', { ...to(who), title: title.trim(), text: '', buttons: listed(buttons) })),
  ],
  [
    /^say\s+([\s\S]+?),\s*then\s+([\s\S]+)$/i,
    async (setting, first, then) => {
      const sent = await use(setting, 'send_message', { text: first });
      const [message] = /msg-[\w-]+/.exec(sent.text) ?? [];
      if (message === undefined) return sent.text;
      return done(await use(setting, 'edit_message', { message, text: then }));
    },
  ],
  [
    /^remind\s+me\s+in\s+(\d{1,5}\s*(?:s|m|h|d|seconds?|minutes?|hours?|days?))\s*:\s*([\s\S]+)$/i,
    (setting, time, text) => plan(setting, `in ${time}`, `Reminder: ${text}`),
  ],
  [/^every\s+([^:]+):\s*([\s\S]+)$/i, (setting, cron, prompt) => plan(setting, cron.trim(), prompt)],
  [/^Reminder:\s*([\s\S]+)$/, (_, text) => `⏰ ${text}`],
  [/^my\s+tasks\W*$/i, async (setting) => (await use(setting, 'list_tasks', {})).text],
  [/^stay\s+silent\W*$/i, () => ''],
  [/^react\s+with\s+(\S+)$/i, async (setting, emoji) => done(await use(setting, 'add_reaction', { emoji }))],
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
  [
    /^count\s+to\s+(\d{1,4})\b\W*(.*)$/i,
    async ({ signal, emit }, last, end) => {
      let text = '1';
      for (let number = 2; number <= Number(last) && !signal.aborted; number++) {
        await pause(STEP_MS, signal);
        text += ` ${number}`;
        emit({ type: 'partial', text });
      }
      return end ? `${text} ${end}` : text;
    },
  ],
  [/^(?:what\s+)?time(?:\s+is\s+it)?\W*$/i, () => `It is ${new Date().toISOString()}.`],
  // To the microsecond, so that a client can tell what the way to here has cost.
  [/^ping\W*$/i, () => `pong ${performance.timeOrigin + performance.now()}`],
  [/^count\W*$/i, ({ count }) => `This is message ${count} of our conversation.`],
];

/** The answer to one message. Never throws. */
export async function answer({ text, files }: Asked, setting: Setting): Promise<string> {
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
  if (files.length > 0) return filesText(files);
  return 'I am a demo without a model, so I don’t understand that. Ask me: what can you do?';
}

/** In a group it is called first: `@Andy time`. */
function withoutCall(text: string, name: string): string {
  // `@AndyTestBot` is another name than `@Andy`.
  const isNamed =
    text.toLowerCase().startsWith(`@${name.toLowerCase()}`) && !/^[\p{L}\p{N}_]/u.test(text.slice(name.length + 1));
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

/** One of the tools that every agent has. */
async function use({ options, emit }: Setting, name: string, input: Record<string, unknown>): Promise<ToolResult> {
  const tool = options.tools.find((each) => each.name === name);
  if (!tool) return { text: `I have no tool ${name}.`, isError: true };
  return inTool(emit, name, toolTimeout(name, input), () => runTool(tool, input));
}

async function plan(setting: Setting, when: string, prompt: string): Promise<string> {
  return plainly(await use(setting, 'schedule_task', { when, prompt }));
}

/** For people, who type no commands: what is wrong, and not how a tool or `ncl` is called. */
function plainly({ isError, text }: ToolResult): string {
  if (!isError) return text;
  const why = text
    .replace(/^Error: /, '')
    .replace(/^The command is not written as it should be\. /, '')
    .replace(/ See `ncl help`\.$/, '');
  // Of what a schema refuses, it names the fields.
  const isSchema = why.startsWith('✖');
  return `That did not work: ${isSchema ? 'a title, an answer or a time is missing, too long or too many.' : why}`;
}

/** Without the names that tools give to messages. */
function done({ isError, text }: ToolResult): string {
  if (isError) return text.replace(/^Error: msg-\S+ was not delivered: /, 'That did not work: ');
  return text.startsWith('Delivered as ') ? 'Delivered.' : text.replace(/ as msg-[\w-]+:/, ':');
}

function to(who: string): { to?: string } {
  return who.toLowerCase() === 'me' ? {} : { to: who };
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
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
