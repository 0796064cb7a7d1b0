import { join } from 'node:path';
import type { ModelWishes } from '../../admin/directory/model.ts';
import { EFFORTS } from '../../src/groups/efforts.ts';
import type { Arguments, Flag } from '../definition.ts';
import { requireProvider } from '../require-provider.ts';
import { nameOrNone } from './resource.ts';

/** Which model something has: the same words for an agent and for a conversation. */

const root = join(import.meta.dirname, '..', '..');

export const modelFlags = (provider: string): Flag[] => [
  { name: 'provider', value: 'name', description: provider },
  { name: 'model', value: 'name', description: "the provider's name of it, or `default`" },
  { name: 'effort', value: 'level', choices: [...EFFORTS, 'default'], description: 'how hard it thinks' },
];

/** At the caller's, who may have to install what the provider needs. */
export async function providerReady(args: Arguments): Promise<string | undefined> {
  const provider = nameOrNone(args, 'provider');
  return provider ? requireProvider(root, process.cwd(), provider) : undefined;
}

export function modelChanges(args: Arguments): ModelWishes {
  const [provider, model, effort] = ['provider', 'model', 'effort'].map((name) => nameOrNone(args, name));
  return {
    ...(provider !== undefined && { provider }),
    ...(model !== undefined && { model }),
    ...(effort !== undefined && { effort }),
  };
}
