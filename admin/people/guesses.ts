/** How many wrong codes are heard out: of one sender, and on one channel, within an hour. In memory; what is counted is bounded. */

const HOUR_MS = 3_600_000;
const PER_SENDER = 10;
const PER_CHANNEL = 60;

export interface Guesses {
  /** `now`: monotonic ms. */
  isOver(channelType: string, senderId: string, now: number): boolean;
  /** Counts one. True when it is the last that is heard out. */
  count(channelType: string, senderId: string, now: number): boolean;
}

export function createGuesses(): Guesses {
  const hours = new Map<string, { since: number; all: number; bySender: Map<string, number> }>();
  const hourOf = (channelType: string, now: number) => {
    const known = hours.get(channelType);
    if (known && now - known.since < HOUR_MS) return known;
    const fresh = { since: now, all: 0, bySender: new Map<string, number>() };
    hours.set(channelType, fresh);
    return fresh;
  };
  const isOver: Guesses['isOver'] = (channelType, senderId, now) => {
    const { all, bySender } = hourOf(channelType, now);
    return all >= PER_CHANNEL || (bySender.get(senderId) ?? 0) >= PER_SENDER;
  };
  return {
    isOver,
    count(channelType, senderId, now) {
      const hour = hourOf(channelType, now);
      hour.all += 1;
      hour.bySender.set(senderId, (hour.bySender.get(senderId) ?? 0) + 1);
      return isOver(channelType, senderId, now);
    },
  };
}
