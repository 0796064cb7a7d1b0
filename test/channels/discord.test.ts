import { plugin } from '../../channels/discord/index.ts';
import { discordFarEnd } from '../fakes/discord/far-end.ts';
import { channelContract } from './suite.ts';

channelContract({
  name: 'discord',
  farEnd: discordFarEnd,
  create: (context) => plugin.create(context),
});
