import { dmOf, isChatName, isName, NAME_RULE, TERMINAL_CHANNEL } from '../../channels/terminal/address.ts';
import { NanoError } from '../../src/errors.ts';
import type { Part } from '../chat-connection.ts';
import { type Arguments, type ClientCommand, type ClientContext, textOf } from '../definition.ts';
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
    { name: 'file', value: 'path', description: 'a file that goes with the message; its whole path' },
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
  const file = textOf(args, 'file');
  const message = text === '-' ? await readInput() : (text ?? (file === undefined ? undefined : ''));
  if (message !== undefined) return () => sendOnce(context, part, message, timeoutMs, file === undefined ? [] : [file]);
  const { converse } = await import('../chat-lines.ts');
  return () => converse(context, part);
}
