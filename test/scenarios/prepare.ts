import type { Names } from './lane.ts';
import type { Place, Step } from './scenario.ts';

/** People, chats and agents, as far as the scenario needs them. */
export async function prepare(steps: readonly Step[], names: Names): Promise<void> {
  // Before any text is filled in.
  for (const name of namesIn(steps)) names.user(name);
  const strangers = new Set(steps.flatMap((step) => (step.do === 'strangers' ? step.names : [])));
  const aside = new Set(steps.flatMap((step) => (step.do === 'alone' ? step.who : [])));
  for (const step of steps) {
    if (step.do === 'agent') await names.makeAgent(step.name);
    if (step.do === 'group')
      await names.makeChat({ name: step.name, ...(step.second && { second: true }) }, step.terms);
    if (step.do === 'alone') await names.makeChat({ name: step.who }, step.terms);
    if (step.do === 'agent') await names.makeChat({ name: step.chat }, step.terms, step.name);
  }
  const agents = [undefined, ...steps.flatMap((step) => (step.do === 'agent' ? step.name : []))];
  for (const step of steps) {
    if ('who' in step && step.who !== 'Owner' && !strangers.has(step.who)) {
      const isSecond = 'place' in step && step.place.second === true;
      for (const agent of agents) await names.makeMember(step.who, isSecond, agent);
    }
    if (step.do === 'admin') await names.makeAdmin(step.who);
    const place: Place | undefined = 'place' in step ? step.place : undefined;
    if (!place || place.name === 'Owner' || aside.has(place.name) || strangers.has(place.name)) continue;
    if (/^[A-Z]/.test(place.name) || place.name === 'family') {
      const { name, second } = place;
      await names.makeChat({ name, ...(second && { second }) }, []);
    }
  }
}

function namesIn(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => [
    ...('who' in step ? [step.who] : []),
    ...('place' in step && step.place ? [step.place.name] : []),
    ...(step.do === 'strangers' ? step.names : []),
  ]);
}
