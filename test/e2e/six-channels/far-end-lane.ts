import type { FarEnd, Fault } from '../../channels/contract.ts';
import type { Random } from '../../faults/random.ts';
import type { Account, Lane, Place } from './lane.ts';

/** Any channel that has a far end for the contract suite. */

export interface FarEndLane {
  account: Omit<Account, 'settings'>;
  far: FarEnd;
  /** Each with who writes there. */
  places: readonly (Place & { sender: string })[];
  hasKey: boolean;
  /** Something is still to go wrong. */
  isArmed(): boolean;
}

const REFUSAL: Fault = { kind: 'rate-limit', retryAfterMs: 1_000 };
// A server in trouble may have taken it: whether that is said is the channel's own affair.
const LOSSES: readonly [Fault, Fault] = [{ kind: 'server-error' }, { kind: 'taken' }];

export function farEndLane({ account, far, places, hasKey, isArmed }: FarEndLane): Lane {
  return {
    account: { ...account, settings: far.settings },
    places,
    hasKey,
    ready: async () => far.ready?.(),
    send({ chat, thread }, text) {
      const { sender = 'ann' } = places.find((one) => one.chat === chat && one.thread === thread) ?? {};
      return far.post({ chat, sender, text, ...(thread !== null && { thread }) });
    },
    repeat: async (_place, id) => far.repeat?.(id),
    disturb(random: Random, mayLose) {
      if (isArmed()) return;
      if (random.chance(0.2)) void far.drop?.();
      else void far.fail?.(mayLose ? random.pick([REFUSAL, ...LOSSES]) : REFUSAL);
    },
    said: () => far.shown(),
    [Symbol.asyncDispose]: () => far.close(),
  };
}
