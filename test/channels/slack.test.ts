import { createSlack, TIMING } from '../../channels/slack/adapter.ts';
import { slackFarEnd } from '../fakes/slack/far-end.ts';
import { channelContract } from './suite.ts';

channelContract({
  name: 'slack',
  farEnd: () => slackFarEnd(),
  create: (context) =>
    createSlack(context, {
      ...TIMING,
      ...{ pauseMs: 50, longestPauseMs: 500, overlapMs: 100, rivalMs: 200, offerMs: 50 },
    }),
});
