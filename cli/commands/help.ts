import { NanoError } from '../../src/errors.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import { helpFor } from '../help-text.ts';

export const help: ClientCommand = {
  name: 'help',
  summary: 'This list, or the help of one command',
  positionals: [{ name: 'command', description: 'its words', rest: true }],
  place: 'client',
  async run(args, { screen }) {
    const { commands } = await import('./index.ts');
    const name = textOf(args, 'command');
    const text = helpFor(commands, name);
    if (text === undefined) throw new NanoError('NC_USAGE', `There is no command ${JSON.stringify(name)}.`);
    screen.out(text);
    return 0;
  },
};
