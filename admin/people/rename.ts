import type { DatabaseSync } from 'node:sqlite';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import { ERRORS } from '../../src/errors.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { Answered, Words } from '../../src/router.ts';
import { namesCalled, newNameIn } from '../../src/routing/addressed.ts';
import type { Wiring } from '../../src/routing/session-key.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import type { Directory } from '../directory/index.ts';
import { assistantNameProblem } from './assistant-name.ts';

/** "Call yourself Bob": an agent's name, changed in chat by those who may. */

export interface RenameParts {
  db: DatabaseSync;
  roles: Roles;
  table: Pick<Wirings, 'chat' | 'of' | 'plan'>;
  directory: Pick<Directory, 'updateConfig'>;
}

export function createRename({ db, roles, table, directory }: RenameParts): Words {
  /** The new name, and those that would have taken these words up. */
  function read(event: InboundEvent, now: number): { name: string | undefined; meant: Wiring[] } {
    const chat = table.chat(event.channelType, event.platformId);
    const wirings = chat ? table.of(chat.id) : [];
    const names = wirings.map(({ assistantName }) => assistantName);
    const longest = names.toSorted((a, b) => b.length - a.length);
    const head = longest.find((name) => event.text.toLowerCase().startsWith(`@${name.toLowerCase()} `));
    const name = newNameIn(head ? event.text.slice(head.length + 1) : event.text)?.replace(/^@/, '');
    if (!chat || name === undefined) return { name, meant: [] };
    const listening = table
      .plan(chat, wirings, event, now)
      .flatMap(({ wiring, decision }) => (decision.do === 'engage' ? [wiring] : []));
    const called = namesCalled(event.text.slice(0, event.text.search(WORDS)), names);
    return { name, meant: listening.filter(({ assistantName }) => called.size === 0 || called.has(assistantName)) };
  }

  return {
    mayBe: ({ text }) => WORDS.test(text),
    answer(event, now) {
      const { name, meant } = read(event, now);
      const [wiring, ...others] = meant;
      if (name === undefined || !wiring) return undefined;
      if (others.length > 0) return says('Which of us do you mean? Begin with its name: “@… call yourself …”.');
      const { agentGroupId: id, assistantName } = wiring;
      if (!roles.mayAdminister(event.senderId, id)) {
        return says(`Only admins of ${assistantName} may give it another name.`);
      }
      const problem = assistantNameProblem(db, id, name);
      if (problem) return says(problem);
      const changed = directory.updateConfig(id, { assistantName: name }, { actor: event.senderId, scope: null }, now);
      if (!changed.ok) return says(changed.detail ?? ERRORS[changed.code].sentence);
      return says(`From now on I am ${name}.`);
    },
  };
}

const WORDS = /call yourself/i;

function says(text: string): Answered {
  return { text, after() {} };
}
