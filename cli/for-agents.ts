import type { AgentCaller } from '../admin/agent-door/callers.ts';
import { type AgentCommands, refusal, type Said } from '../admin/agent-door/index.ts';
import type { HostView } from '../admin/view.ts';
import { ERRORS, type ErrorCode, NanoError } from '../src/errors.ts';
import { readInvocation } from './arguments.ts';
import type { Command } from './definition.ts';
import { dispatch, ownOf, performFrozen } from './dispatch.ts';
import { helpFor } from './help-text.ts';

/** `ncl` as agents have it: their part of the commands, and what these print. */
export function createAgentCommands(view: HostView): AgentCommands {
  return {
    async run(caller, argv) {
      const { commands } = await import('./commands/index.ts');
      const said = await answer(view, caller, commands, argv);
      return said.refused !== undefined && argv.includes('--json') ? asJson(said, said.refused) : said;
    },
    perform: (action, approval, now) => performFrozen(view, action, approval, now),
  };
}

async function answer(
  view: HostView,
  caller: AgentCaller,
  commands: readonly Command[],
  argv: readonly string[],
): Promise<Said> {
  const offered = commands.filter((command) => isOffered(command, caller));
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const read = readInvocation(offered, words, ownOf(caller));
  if (isOthers(commands, offered, words)) return refusal('NC_FORBIDDEN', 'That command is not for agents.');
  if (!read.ok) return refusal('NC_USAGE', read.sentence);
  const { command, about, args, help, json } = read.value;
  if (help || !command) {
    const text = helpFor(offered, command?.name ?? about);
    if (text !== undefined) return { exit: 0, out: text, err: '' };
    return refusal('NC_USAGE', 'There is no such command.');
  }
  try {
    const look = { width: Number.POSITIVE_INFINITY, colour: false };
    const result = await dispatch(view, caller, command.name, args, json ? undefined : look);
    if (!result.ok) return refusal(result.code, result.detail);
    const { data, text, pending } = result.data;
    if (pending !== undefined) return { exit: 0, out: json ? JSON.stringify({ pending }) : asked(pending), err: '' };
    return { exit: 0, out: json ? JSON.stringify(data) : (text ?? ''), err: '' };
  } catch (error) {
    if (error instanceof NanoError) return refusal(error.code, error.detail);
    throw error;
  }
}

function isOffered(command: Command, { scope }: AgentCaller): boolean {
  return command.place === 'host' && command.agents !== undefined && (scope === 'global' || !command.onlyGlobal);
}

/** A command that there is, and that isn't offered. */
function isOthers(commands: readonly Command[], offered: readonly Command[], words: readonly string[]): boolean {
  const bare = words.filter((word) => !word.startsWith('-'));
  const named = (of: readonly Command[]) =>
    of.some(({ name }) => name.split(' ').every((word, index) => bare[index] === word));
  return words[0] === '--version' || (named(commands) && !named(offered));
}

function asked(id: string): string {
  return `Nothing is done yet: it was asked whether you may (${id}). You will be told what came of it; don't wait, and don't ask again.`;
}

/** As the owner's `ncl` writes it. */
function asJson(said: Said, code: ErrorCode): Said {
  const { remedy } = ERRORS[code];
  const message = said.err.endsWith(remedy) ? said.err.slice(0, -remedy.length).trim() : said.err;
  return { ...said, out: JSON.stringify({ error: { code, message, remedy } }), err: '' };
}
