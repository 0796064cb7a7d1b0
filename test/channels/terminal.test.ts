import { createTerminals } from '../../channels/terminal/index.ts';
import { channelContract } from './suite.ts';
import { terminalFarEnd } from './terminal-far-end.ts';

const ONE_MACHINE = 'one machine, one user: there are no credentials';

channelContract({
  name: 'terminal',
  farEnd: terminalFarEnd,
  create: ({ settings, log }) => createTerminals({ socketPath: settings.SOCKET ?? '', log })[0],
  cannot: {
    'bad-credentials': ONE_MACHINE,
    'refused-for-now': 'whoever writes is told so at once, and sends it again',
    drop: 'a client that loses the line sends again what was not taken, as one that begins',
    reconnect: 'the same',
  },
});
