import { NanoError } from '../../src/errors.ts';
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
    const { readInput, sendOnce } = await import('../chat-once.ts');
    const message = text === '-' ? await readInput() : text;
    const talk = async () =>
      message === undefined
        ? (await import('../chat-lines.ts')).converse(context)
        : sendOnce(context, message, seconds * 1000);
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
