import { discordFarEnd } from '../../fakes/discord/far-end.ts';
import { farEndLane } from './far-end-lane.ts';
import type { Lane } from './lane.ts';

const PEOPLE = ['ann', 'bob', 'carol', 'dora'];

export async function discordLane(): Promise<Lane> {
  const far = await discordFarEnd();
  const { world, faults } = far.server;
  const { group = '', thread = '' } = far.chats;
  return farEndLane({
    account: { instance: 'discord', channel: 'discord', source: null },
    far,
    places: [
      ...PEOPLE.map((sender) => ({ chat: world.direct(world.person(sender)).id, thread: null, sender })),
      { chat: group, thread: null, sender: 'ann' },
      { chat: group, thread, sender: 'bob' },
    ],
    // For a few minutes: far longer than a retry takes.
    hasKey: true,
    isArmed: () => faults.length > 0,
  });
}
