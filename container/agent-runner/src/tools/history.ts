import { z } from 'zod';
import type { Kit } from './send.ts';
import { through } from './through-ncl.ts';
import type { Tool } from './tool.ts';

const input = {
  words: z.string().optional().describe('All of them: invoice "last train" garden* (a phrase, a beginning).'),
  person: z.string().optional().describe('Only what they said. `me`: what you said yourself.'),
  chat: z.string().optional().describe('Only there, where you may look into several.'),
  from: z.string().optional().describe('2030-01-31, "2030-01-31 09:00", or "3 days" (ago).'),
  to: z.string().optional(),
  limit: z.number().int().min(1).max(100).optional(),
};

export function searchHistoryTool(kit: Kit): Tool<typeof input> {
  return {
    name: 'search_history',
    description: 'Searches what was said in this chat, by anybody and at any time; the newest first.',
    input,
    run: ({ words, ...given }) => through(kit, ['history', 'search'], given, words),
  };
}
