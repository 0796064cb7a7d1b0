import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dmOf, isChatName, isName, NAME_RULE, TERMINAL_CHANNEL } from '../../channels/terminal/address.ts';
import { NanoError } from '../../src/errors.ts';
import { optionIn } from '../chat-cards.ts';
import type { Part } from '../chat-connection.ts';
import { type Arguments, allOf, type ClientCommand, type ClientContext, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';

export const chat: ClientCommand = {
  name: 'chat',
  summary: 'Send a message and print the answer; without a text, talk line by line',
  positionals: [{ name: 'text', description: 'the message; `-` reads it from the standard input', rest: true }],
  flags: [
    { name: 'as', value: 'user', description: 'who speaks; the owner at first' },
    { name: 'in', value: 'chat', description: "the chat; at first the speaker's own with the agent" },
    { name: 'thread', value: 'thread', description: 'a thread of it' },
    { name: 'channel', value: 'channel', description: 'terminal at first; docs/terminal.md says when there are more' },
    { name: 'file', value: 'path', many: true, description: 'a file that goes with the message; several are possible' },
    { name: 'press', value: 'option', description: 'instead of a message: that option of the newest card there' },
    { name: 'timeout', value: 'seconds', description: 'how long to wait for the answer; 1800 at first' },
  ],
  place: 'client',
  async run(args, context) {
    const talk = await talkOf(args, context);
    try {
      return await talk();
    } catch (error) {
      if (!(error instanceof NanoError && error.code === 'NC_NO_HOST')) throw error;
      const { comesBack } = await import('../../setup/service/index.ts');
      if (!(await comesBack(context))) throw error;
      return talk();
    }
  },
};

async function talkOf(args: Arguments, context: ClientContext): Promise<() => Promise<number>> {
  const timeoutMs = numberOf(args, 'timeout', { least: 1, most: 86_400, otherwise: 1800 }) * 1000;
  const option = numberOf(args, 'press', { least: 1, most: 100, otherwise: 0 });
  const text = textOf(args, 'text');
  const user = textOf(args, 'as') ?? 'owner';
  const thread = textOf(args, 'thread');
  const part: Part = {
    channel: textOf(args, 'channel') ?? TERMINAL_CHANNEL,
    user,
    chat: textOf(args, 'in') ?? dmOf(user),
    thread,
  };
  if (!isName(user) || !isChatName(part.chat) || !isName(thread ?? 't')) throw new NanoError('NC_USAGE', NAME_RULE);
  const { pressOnce, readInput, sendOnce } = await import('../chat-once.ts');
  if (option > 0) {
    if (text !== undefined) throw new NanoError('NC_USAGE', 'Either a message or --press, not both.');
    return () => pressOnce(context, part, option, timeoutMs);
  }
  const pressing = optionIn(text ?? '');
  if (pressing !== undefined)
    throw new NanoError('NC_USAGE', `That chooses an option only in a conversation: here it is --press ${pressing}.`);
  const files = filesOf(args, context);
  const message = text === '-' ? await readInput() : (text ?? (files.length === 0 ? undefined : ''));
  if (message !== undefined) return () => sendOnce(context, part, message, timeoutMs, files);
  const { converse } = await import('../chat-lines.ts');
  return () => converse(context, part);
}

/** From the folder of whoever calls. */
function filesOf(args: Arguments, { callerFolder }: ClientContext): string[] {
  return allOf(args, 'file').map((given) => {
    if (given === '') throw new NanoError('NC_USAGE', '--file needs the name of a file.');
    const path = resolve(callerFolder ?? '.', given);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new NanoError('NC_USAGE', `There is no file ${path}.`);
    if (!found.isFile()) throw new NanoError('NC_USAGE', `${path} is not a file.`);
    return path;
  });
}
