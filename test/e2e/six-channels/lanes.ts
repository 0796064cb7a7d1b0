import { noDovecot } from '../../fakes/mail/dovecot.ts';
import { discordLane } from './discord.ts';
import { emailLane } from './email.ts';
import type { Lane } from './lane.ts';
import { scriptedLane } from './scripted.ts';
import { slackLane } from './slack.ts';
import { telegramLane } from './telegram.ts';
import { webLane } from './web.ts';
import { webhookLane } from './webhook.ts';

/** Six at once; where this machine has no mail server, one more that is played takes its place. */
export function openLanes(): Promise<Lane[]> {
  return Promise.all([
    telegramLane(),
    noDovecot() === undefined ? emailLane() : scriptedLane('scripted'),
    webLane(),
    webhookLane(),
    discordLane(),
    slackLane(),
  ]);
}
