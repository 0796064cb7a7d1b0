import { join } from 'node:path';
import type { DeliveryResult } from '../../../src/channels/adapter.ts';
import { CODE } from '../../support/host-process.ts';
import { startPlatform } from '../../support/scripted/platform.ts';
import type { Lane, Place } from './lane.ts';

/** Fails as it is told, knows messages by our id, and breaks its line. */
export async function scriptedLane(instance: string): Promise<Lane> {
  const platform = await startPlatform();
  const next: (DeliveryResult | 'lost')[] = [];
  platform.answer(() => next.shift());
  const faults: readonly [DeliveryResult, DeliveryResult, 'lost'] = [
    { status: 'failed', retryable: true, error: 'Too many requests', retryAfterMs: 1_000 },
    { status: 'failed', retryable: true, error: 'Internal error' },
    'lost',
  ];
  const places: Place[] = ['a', 'b', 'c'].flatMap((chat) =>
    [null, 't1', 't2'].map((thread) => ({ chat: `${instance}-${chat}`, thread })),
  );
  return {
    account: {
      instance,
      channel: 'scripted',
      source: join(CODE, 'test/support/scripted/package'),
      settings: { SOCKET: platform.socketPath },
    },
    places,
    hasKey: true,
    send: ({ chat, thread }, text) =>
      Promise.resolve(platform.send(chat, text, { sender: `${instance}:ann`, ...(thread !== null && { thread }) })),
    repeat: (_place, id) => platform.repeat(id),
    disturb(random) {
      if (random.chance(0.1)) platform.drop();
      else if (next.length === 0) next.push(random.pick(faults));
    },
    said: () => [...platform.delivered.values()].filter(({ progress }) => !progress),
    async [Symbol.asyncDispose]() {
      platform[Symbol.dispose]();
    },
  };
}
