import { join } from 'node:path';
import type { Stage } from '../../channels/web/testing/stage.ts';

export const PICTURES = join(import.meta.dirname, '../../docs/channels/web');

const ANSWER = `It goes well. **Three of five** beds are done:

| bed | state |
|---|---|
| herbs | planted |
| beans | planted |
| roses | pruned |

\`\`\`sh
water --bed beans --litres 4
\`\`\`
`;

/** A conversation with a bit of everything. */
export async function showOff(stage: Stage): Promise<void> {
  await stage.say(ANSWER, { speaker: 'Andy' });
  const buttons = [
    { data: 'y', label: 'Allow' },
    { data: 'n', label: 'Deny' },
  ];
  const card = { title: 'May I order seeds?', body: 'For the last two beds, 12 €.', buttons };
  await stage.say('May I?', { speaker: 'Andy', card });
  stage.adapter.typing('owner', null, true);
}
