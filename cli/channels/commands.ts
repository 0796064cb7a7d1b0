import type { ClientCommand } from '../definition.ts';

/** What asks at this terminal. Loaded when it is used: most commands need none of it. */

export const channelsAdd: ClientCommand = {
  name: 'channels add',
  summary: 'Connect an account on a platform, or change its settings',
  positionals: [
    {
      name: 'channel',
      description: 'one of `ncl channels available`; of somebody else, a path, or git+https://…#<commit>',
      required: true,
    },
  ],
  flags: [
    { name: 'as', value: 'name', description: "what to call this account: telegram-work; the channel's name at first" },
    { name: 'from', value: 'file', description: 'its settings, as NAME=value lines; - reads them from stdin' },
    { name: 'untested', description: 'takes its new settings also when those from before work, and these do not' },
  ],
  place: 'client',
  run: async (args, context) => (await import('./add.ts')).runAdd(args, context),
};

export const channelsPair: ClientCommand = {
  name: 'channels pair',
  summary:
    'Come into an account yourself: a link, or a one-time code whose sender is its owner; waits until it was sent',
  positionals: [{ name: 'account', description: 'one of `ncl channels list`', required: true }],
  flags: [{ name: 'minutes', value: 'count', description: 'for how long the code can be used; 60 at first' }],
  place: 'client',
  run: async (args, context) => (await import('./pair.ts')).runPair(args, context),
};

export const channelsTest: ClientCommand = {
  name: 'channels test',
  summary: "Whether an account's credentials work, and as whom; 1 when they don't",
  positionals: [{ name: 'account', description: 'one of `ncl channels list`', required: true }],
  place: 'client',
  async run({ account = '' }, { ask, screen, json }) {
    const { data, text } = await ask('channels try', { account }, json ? undefined : screen);
    screen.out(json ? JSON.stringify(data) : (text ?? ''));
    return typeof data === 'object' && data !== null && 'ok' in data && data.ok === true ? 0 : 1;
  },
};
