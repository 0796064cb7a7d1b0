import type { Rate } from './adapter.ts';

/** Keeps what is sent within platforms' rates, and away from those that asked for a time of rest. */

export interface Rates {
  /** Takes a place and returns how long to wait for it, in ms. */
  take(key: string, rate: Rate, now: number): number;
  /** Whether there is a place at once, and another after it. */
  hasRoom(key: string, rate: Rate, now: number): boolean;
  hold(key: string, until: number): void;
  /** How long that one is still held. */
  held(key: string, now: number): number;
}

const MANY = 1_000;

export function createRates(): Rates {
  /** When the next place is free, if it had been used evenly. */
  const nextFree = new Map<string, number>();
  const holds = new Map<string, number>();
  /** A pause earns as many at once as the rate allows. */
  const firstFree = (key: string, earned: number, now: number) =>
    Math.max(nextFree.get(key) ?? Number.NEGATIVE_INFINITY, now - earned);
  return {
    take(key, { count, perMs }, now) {
      const each = perMs / count;
      const free = firstFree(key, perMs - each, now);
      if (nextFree.size >= MANY) for (const [one, at] of nextFree) if (at < now - perMs) nextFree.delete(one);
      nextFree.set(key, free + each);
      return Math.max(0, free - now);
    },
    hasRoom: (key, { count, perMs }, now) => firstFree(key, perMs - perMs / count, now) + perMs / count <= now,
    hold(key, until) {
      holds.set(key, Math.max(until, holds.get(key) ?? 0));
    },
    held(key, now) {
      const until = holds.get(key) ?? 0;
      if (until <= now) holds.delete(key);
      return Math.max(0, until - now);
    },
  };
}
