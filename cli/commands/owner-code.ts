import { existsSync } from 'node:fs';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';

/** A day: it is typed from a screen into a phone, or kept until the bot is set up. */
const MOST_MINUTES = 24 * 60;

export const ownerCode: ClientCommand = {
  name: 'owner-code',
  summary: 'A one-time code: whoever sends it to the bot, alone, becomes its owner there',
  flags: [
    {
      name: 'agent',
      value: 'group',
      description: 'who speaks to them there, by id or name; the first agent otherwise',
    },
    { name: 'minutes', value: 'count', description: 'for how long it can be used; 60 at first' },
  ],
  place: 'client',
  async run(args, { home, screen, json }) {
    const minutes = numberOf(args, 'minutes', { least: 1, most: MOST_MINUTES, otherwise: 60 });
    if (!existsSync(pathsFor(home).db)) {
      throw new NanoError('NC_NOT_FOUND', 'There is no install here yet: run `bash nanoclaw.sh`.');
    }
    const { issueOwnerCode } = await import('../../admin/people/issue-owner-code.ts');
    const { code, agent, expiresAt } = issueOwnerCode(home, textOf(args, 'agent'), minutes);
    if (json) screen.out(JSON.stringify({ code, agent, expiresAt }));
    else {
      screen.out(code);
      screen.err(
        `Send exactly this to the bot in a chat with it alone, within ${minutes} minutes: whoever does is its owner there${agent === null ? '' : `, and ${agent} speaks first`}. It works once.`,
      );
    }
    return 0;
  },
};
