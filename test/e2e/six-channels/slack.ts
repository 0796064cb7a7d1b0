import { slackFarEnd } from '../../fakes/slack/far-end.ts';
import { farEndLane } from './far-end-lane.ts';
import type { Lane } from './lane.ts';

const PEOPLE = ['ann', 'bob', 'carol', 'dora', 'emil', 'frida'];

/** Slack takes a message a second in a channel: there are many of them. */
export async function slackLane(): Promise<Lane> {
  const far = await slackFarEnd();
  const { state, faults } = far.server;
  const { group = '', thread = '' } = far.chats;
  return farEndLane({
    account: { instance: 'slack', channel: 'slack', source: null },
    far,
    places: [
      ...PEOPLE.map((sender) => ({ chat: state.dmOf(state.person(sender)), thread: null, sender })),
      { chat: group, thread, sender: 'ann' },
    ],
    hasKey: false,
    isArmed: () => faults.length > 0,
  });
}
