import { plugin } from '../../channels/telegram/index.ts';
import { telegramFarEnd } from '../fakes/telegram/far-end.ts';
import { channelContract } from './suite.ts';

channelContract({
  name: 'telegram',
  farEnd: telegramFarEnd,
  create: (context) => plugin.create(context),
});
