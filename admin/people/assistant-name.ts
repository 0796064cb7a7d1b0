import type { DatabaseSync } from 'node:sqlite';
import { folded } from '../../src/routing/addressed.ts';
import { titleProblem } from '../directory/words.ts';

/** What an agent may be called: its name is how it is called in a chat. */

const LONGEST = 32;

/** A sentence, when it is none. */
export function nameProblem(name: string): string | undefined {
  const problem = titleProblem(name);
  if (problem) return problem;
  if ([...name].length > LONGEST) return `An agent's name has at most ${LONGEST} characters.`;
  if (folded(name).trim() === '') return 'A name has something in it that can be seen.';
  return name.includes('@') ? "An agent's name has no @ in it: that is how it is called." : undefined;
}

/** The same, and in none of its chats is another agent called that. */
export function assistantNameProblem(db: DatabaseSync, agentGroupId: string, name: string): string | undefined {
  const problem = nameProblem(name);
  if (problem) return problem;
  const others = db
    .prepare(
      `SELECT DISTINCT c.assistant_name FROM messaging_group_agents own
       JOIN messaging_group_agents other ON other.messaging_group_id = own.messaging_group_id
       JOIN container_configs c ON c.agent_group_id = other.agent_group_id
       WHERE own.agent_group_id = ?1 AND other.agent_group_id <> ?1`,
    )
    .all(agentGroupId);
  const isTaken = others.some(({ assistant_name }) => looks(String(assistant_name)) === looks(name));
  return isTaken ? `Another agent in one of its chats is called ${name}.` : undefined;
}

/** Letters of other scripts that nobody tells from these: an agent must not pass for another one. */
const ALIKE: Readonly<Record<string, string>> = {
  ...{
    A: 'АΑ',
    B: 'ВΒ',
    C: 'С',
    E: 'ЕΕ',
    H: 'НΗ',
    I: 'ІΙӀ',
    J: 'Ј',
    K: 'КΚ',
    M: 'МΜ',
    N: 'Ν',
    O: 'ОΟ',
    P: 'РΡ',
    S: 'Ѕ',
  },
  ...{ T: 'ТΤ', X: 'ХΧ', Y: 'УΥ', Z: 'Ζ', a: 'аα', c: 'сϲ', d: 'ԁ', e: 'е', h: 'һ', i: 'іι', j: 'ј', o: 'оο', p: 'рρ' },
  ...{ q: 'ԛ', s: 'ѕ', v: 'ν', w: 'ԝ', x: 'х', y: 'у' },
};
const LATIN = new Map(Object.entries(ALIKE).flatMap(([latin, all]) => [...all].map((one) => [one, latin])));

/** What is left of a name when it is looked at. */
function looks(name: string): string {
  const latin = [...name.normalize('NFKC')].map((letter) => LATIN.get(letter) ?? letter).join('');
  return folded(latin).replaceAll(/[i1|]/g, 'l').replaceAll('0', 'o').replaceAll(/\s+/g, ' ');
}
