import type { Found } from '../../assistant/history/index.ts';
import { printable } from '../../src/log/printable.ts';
import { hostCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { GROUP } from './groups.ts';
import { positionalOf } from './resource.ts';

/** What was said. Agents see what is for the session in which they ask; the owner of this install sees all of it. */

const TIME = 'as 2030-01-31, 2030-01-31 09:00, 2030-01-31T09:00+01:00, or 3 days';

export const history = hostCommand<Found>({
  name: 'history search',
  summary: 'Search in what was said, by words, person, chat and time; the newest first',
  agents: 'own',
  positionals: [
    {
      name: 'words',
      description: 'all of them; "two words" one after the other, begin* as a beginning',
      rest: true,
    },
  ],
  flags: [
    {
      ...positionalOf(GROUP),
      name: 'agent',
      value: 'group',
      required: false,
      description: 'only what was said to that agent, and by it',
    },
    {
      name: 'person',
      value: 'name',
      description: 'only what they said: a name or an id; from an agent, `me` is itself',
    },
    { name: 'chat', value: 'name', description: 'only there: its name, its id, or <channel>/<chat>' },
    { name: 'from', value: 'time', description: `not before: ${TIME}` },
    { name: 'to', value: 'time', description: `not after: ${TIME}` },
    { name: 'limit', short: 'n', value: 'count', description: 'how many; 20 at first, 100 at most' },
  ],
  async handle(view, args, { caller, now }) {
    const agentGroupId = textOf(args, 'agent');
    if (caller.kind === 'agent' && agentGroupId !== undefined && agentGroupId !== caller.agentGroupId) {
      return { ok: false, code: 'NC_FORBIDDEN', detail: 'That is said to another agent.' };
    }
    const looking = caller.kind === 'agent' ? { sessionId: caller.sessionId } : { agentGroupId };
    const wish = {
      words: textOf(args, 'words'),
      person: textOf(args, 'person'),
      chat: textOf(args, 'chat'),
      from: textOf(args, 'from'),
      to: textOf(args, 'to'),
      limit: numberOf(args, 'limit', { least: 1, most: 100, otherwise: 20 }),
    };
    return view.history.search(wish, looking, now);
  },
  show: ({ hits, nobody }) =>
    hits
      .map(
        ({ id, when, sender, agent, chat, text }) =>
          `${when} · ${line(sender ?? agent)} in ${line(chat)} · ${id}\n  ${line(text)}`,
      )
      .join('\n') ||
    (nobody === undefined ? 'Nothing was found.' : `Nobody who has said anything there is called “${line(nobody)}”.`),
  data: ({ hits }) => hits,
  note: ({ more }) => (more ? '… and there are older ones: --to, --limit or more words narrow it down.' : undefined),
});

/** People choose names and texts: none of them begins a hit of its own, or speaks to a terminal. */
function line(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}
