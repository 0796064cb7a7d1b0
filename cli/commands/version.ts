import type { ClientCommand } from '../definition.ts';
import { readVersion } from '../version.ts';

export const version: ClientCommand = {
  name: 'version',
  summary: 'The version of this checkout',
  place: 'client',
  async run(_args, { root, screen, json }) {
    const number = readVersion(root);
    screen.out(json ? JSON.stringify({ version: number }) : number);
    return 0;
  },
};
