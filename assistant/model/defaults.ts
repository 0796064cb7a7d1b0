import { modelProblem } from '../../admin/directory/model.ts';
import type { Wishes } from './decide.ts';

/** What .env sets for agents and conversations that say nothing themselves. */

const NAMES = { provider: 'NANOCLAW_PROVIDER', model: 'NANOCLAW_MODEL', effort: 'NANOCLAW_EFFORT' } as const;

/** What can't be read counts as none; `problems` says so, a sentence each. */
export function installDefaults(env: Readonly<Record<string, string | undefined>>): {
  wishes: Wishes;
  problems: string[];
} {
  const read = Object.entries(NAMES).map(([what, name]) => {
    const value = env[name]?.trim() ?? '';
    const problem = value === '' ? undefined : modelProblem({ [what]: value });
    return { what, name, value: problem === undefined ? value : '', problem };
  });
  return {
    wishes: Object.fromEntries(read.map(({ what, value }) => [what, value])),
    problems: read.flatMap(({ name, problem }) => (problem ? [`${name} in .env is passed over: ${problem}`] : [])),
  };
}
