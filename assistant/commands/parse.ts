import type { InboundEvent } from '../../src/channels/adapter.ts';
import { namesCalled } from '../../src/routing/addressed.ts';

/** The host's own commands: the first word of a message. An unknown `/x` is text for the agent. */

export const COMMANDS = {
  help: 'what you can say to the host itself',
  status: 'what is running here',
  stop: 'end what is being worked on in this chat',
  clear: 'forget this conversation and begin a new one (memory and files stay); in a group for admins',
  model: 'which model answers here; an admin changes it for this conversation',
  usage: 'what this conversation has cost; for admins, what the agent has, and its budget',
  budget: 'what an agent may spend; its admins change it: /budget 20',
  compact: 'make this conversation shorter by a summary; in a group for admins',
  leave: 'stop following this conversation until somebody calls again',
} as const;

export type CommandName = keyof typeof COMMANDS;

export interface Command {
  name: CommandName;
  /** `/help@bot`: whom it is for, where several bots are in a chat. */
  at: string | undefined;
}

export function parseCommand(text: string): Command | undefined {
  const [, word = '', at] = /^\/([a-z]+)(?:@(\S+))?(?=\s|$)/i.exec(text.trimStart()) ?? [];
  const name = word.toLowerCase();
  return isCommand(name) ? { name, at } : undefined;
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The agents of a chat that a command is for: those it names, otherwise all. None when it is for another bot. */
export function commanded<W extends { assistantName: string }>(
  { at }: Command,
  { text, isGroup, isMention }: Pick<InboundEvent, 'text' | 'isGroup' | 'isMention'>,
  wirings: readonly W[],
): readonly W[] {
  const names = wirings.map(({ assistantName }) => assistantName);
  const called = namesCalled(`@${at ?? ''} ${text}`, names);
  if (called.size > 0) return wirings.filter(({ assistantName }) => called.has(assistantName));
  const isForSomebody = at !== undefined || (isGroup && strangerIn(text, names) !== undefined);
  return isForSomebody && !isMention ? [] : wirings;
}

const NEXT = /^\s*\/(?!model\b)[a-z]+(?:@\S+)?\s+@([\p{L}\p{N}_-]+)/iu;

/** The name that a command is said to, where no agent here has it: `/stop @Nobody`. */
export function strangerIn(text: string, names: readonly string[]): string | undefined {
  return namesCalled(text, names).size > 0 ? undefined : NEXT.exec(text)?.[1];
}

export function helpText(names: readonly string[], isGroup: boolean): string {
  const who = new Intl.ListFormat('en', { type: 'disjunction' }).format(names.map((name) => `@${name}`));
  const head = isGroup
    ? `Here I listen to my name: begin with ${who}.`
    : `Anything that you write here goes to ${names.join(', ')}.`;
  const lines = Object.entries(COMMANDS).map(([name, what]) => `/${name} – ${what}`);
  const decide = '/approve, /deny – what waits for your decision';
  return [`${head} These are answered by the host at once:`, ...lines, decide].join('\n');
}
