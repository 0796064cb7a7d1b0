import { localTime, showFields } from '../../src/log/human.ts';
import { pathsFor } from '../../src/paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import type { Look } from '../screen.ts';
import { pairs, table } from '../table.ts';
import type { Step } from '../trace/stored.ts';

export const trace: ClientCommand = {
  name: 'trace',
  summary: "A message's whole way with times, from the database and the logs; without a host as well",
  positionals: [
    {
      name: 'message',
      description: "its id, the platform's, an answer's, or the beginning of one; the newest at first",
    },
  ],
  place: 'client',
  async run(args, { home, screen, json }) {
    const { readStored } = await import('../trace/stored.ts');
    const { readLogged } = await import('../trace/logged.ts');
    const { db, logs } = pathsFor(home);
    const stored = readStored(db, textOf(args, 'message'));
    const steps = inOrder(stored.steps, readLogged(logs, stored));
    screen.out(json ? JSON.stringify({ message: stored.about, steps }) : shown(stored.about, steps, screen));
    return 0;
  },
};

/** What both tell is told once, by the log, which knows more of it. */
function inOrder(stored: readonly Step[], logged: readonly Step[]): Step[] {
  // By whom as well: what a sandbox logs must not stand for what the host knows.
  const key = ({ who, what, fields }: Step) => `${who} ${what} ${fields.messageId}`;
  const told = new Set(logged.map(key));
  return [...stored.filter((step) => !told.has(key(step))), ...logged].toSorted((a, b) => a.at.localeCompare(b.at));
}

function shown(about: Record<string, unknown>, steps: readonly Step[], look: Look): string {
  const known = Object.entries(about).filter(([, value]) => value !== null);
  const head = known.map(([name, value]) => {
    const isTime = name === 'timestamp' || name === 'nextTry';
    return [name, isTime ? localTime(String(value)) : String(value)] as const;
  });
  const first = Date.parse(steps[0]?.at ?? '');
  const rows = steps.map(({ at, who, what, fields }) => {
    return [localTime(at), `+${Date.parse(at) - first}`, who, what, showFields(fields)];
  });
  // Nothing is cut: the reason of a failure stands at the end of its line.
  const way = table(['TIME', 'MS', 'WHO', 'WHAT', ''], rows, { ...look, width: Number.POSITIVE_INFINITY });
  return `${pairs(head, look)}\n\n${way}`;
}
