import { type ClientCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';

export const chat: ClientCommand = {
  name: 'chat',
  summary: 'Send a message and print the answer; without a text, talk line by line',
  positionals: [{ name: 'text', description: 'the message; `-` reads it from the standard input', rest: true }],
  flags: [{ name: 'timeout', value: 'seconds', description: 'how long to wait for the answer; 1800 at first' }],
  place: 'client',
  async run(args, context) {
    const seconds = numberOf(args, 'timeout', { least: 1, most: 86_400, otherwise: 1800 });
    const text = textOf(args, 'text');
    if (text === undefined) return (await import('../chat-lines.ts')).converse(context);
    const { readInput, sendOnce } = await import('../chat-once.ts');
    return sendOnce(context, text === '-' ? await readInput() : text, seconds * 1000);
  },
};
