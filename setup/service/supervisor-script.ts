import { join } from 'node:path';
import { shellWord } from './escape.ts';
import { PLACEHOLDER, seal } from './marker.ts';
import type { Plan } from './plan.ts';

export const SUPERVISOR = 'own supervisor';

/** What starts the supervisor, with an environment of its own: by hand, by cron, by whatever starts a container. */
export function supervisorScript({ owner, root, home, host, environment }: Plan): string {
  const variables = Object.entries({ ...environment, NANOCLAW_SERVICE: SUPERVISOR });
  const command = ['/bin/sh', join(root, 'setup', 'service', 'supervise.sh'), home, ...host];
  const words = [...variables.map(([name, value]) => `${name}=${value}`), ...command];
  const text = `#!/bin/sh
# ${PLACEHOLDER}
# Made by \`ncl service install\`. Runs in the foreground, until it is told to end; a second one ends at once.
exec env -i \\
${words.map((word) => `  ${shellWord(word)}`).join(' \\\n')}
`;
  return seal(text, owner);
}
