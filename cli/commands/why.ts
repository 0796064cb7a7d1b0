import { localTime } from '../../src/log/human.ts';
import { printable } from '../../src/log/printable.ts';
import { pathsFor } from '../../src/paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import { paint, type Screen } from '../screen.ts';
import type { Story } from '../why/story.ts';

export const why: ClientCommand = {
  name: 'why',
  summary: 'Why something was answered, or not, asked, allowed or refused; without a host as well',
  positionals: [
    {
      name: 'of',
      description:
        "a message (our id or the platform's), an approval, a session, a user, a wiring, an agent, or <channel>/<chat> where nothing is answered; the beginning of an id is enough; the newest message at first",
    },
  ],
  place: 'client',
  async run(args, { home, screen, json }) {
    const { withLog } = await import('../audit/read.ts');
    const { tell } = await import('../why/find.ts');
    const told = withLog(pathsFor(home).db, (db) => tell(db, textOf(args, 'of')));
    const story = { ...told, lines: told.lines.toSorted((a, b) => a.at.localeCompare(b.at)) };
    screen.out(json ? JSON.stringify(story) : shown(story, screen));
    return 0;
  },
};

function shown({ about, lines, now }: Story, screen: Screen): string {
  const told = lines.map(({ at, text }) => `${paint(screen, 'dim', localTime(at))}  ${sentence(text)}`);
  const standing = now.map((text) => `- ${sentence(text)}`);
  return [
    paint(screen, 'bold', printable(about)),
    ...told,
    ...(standing.length > 0 ? ['', 'Now:', ...standing] : []),
  ].join('\n');
}

/** Times on the clock of whoever looks. */
function sentence(text: string): string {
  return printable(text).replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, localTime);
}
