import { plugin } from '../../channels/web/index.ts';
import { createFarEnd } from '../../channels/web/testing/far-end.ts';
import { channelContract } from './suite.ts';

const NOBODY = 'the host serves the page itself: nobody stands in between';

let folder = '';

channelContract({
  name: 'web',
  farEnd: async () => createFarEnd(() => folder),
  create(context) {
    folder = context.folder;
    return plugin.create(context);
  },
  cannot: {
    'bad-credentials': 'it needs none',
    drop: 'each message comes over a connection of its own; web-browser.test.ts breaks the stream',
    'refused-for-now': 'the page says so below the message; web.test.ts has it',
    echo: 'nobody sends anything back',
    'rate-limit': NOBODY,
    'server-error': NOBODY,
    forbidden: NOBODY,
    unknown: NOBODY,
  },
});
