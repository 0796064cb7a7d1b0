import { createTerminals } from '../../channels/terminal/index.ts';
import { channelContract } from './suite.ts';
import { terminalFarEnd } from './terminal-far-end.ts';

const ONE_MACHINE = 'one machine, one user: there are no credentials';

channelContract({
  name: 'terminal',
  farEnd: terminalFarEnd,
  create: ({ settings, log }) => createTerminals({ socketPath: settings.SOCKET ?? '', log })[0],
  cannot: { 'bad-credentials': ONE_MACHINE },
});
