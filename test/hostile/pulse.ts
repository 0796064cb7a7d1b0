import { setTimeout as pause } from 'node:timers/promises';
import type { Platform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** A neighbour who sends a small message, waits for the answer, and sends the next. */

export interface Beat {
  /** By `performance.now()`. */
  sentAt: number;
  ms: number;
}

export interface Pulse {
  /** Answered so far. */
  beats: readonly Beat[];
  first: Promise<void>;
  /** Latencies of those that were under way between the two times. Resolves when the last of them is answered. */
  between(from: number, to: number): Promise<number[]>;
  stop(): Promise<void>;
}

const REST_MS = 15;
/** Without an answer by then the neighbour is lost, and the run with it. */
const LOST_MS = 30_000;

export function startPulse(platform: Platform, chat: string, heard: readonly { text: string; at: number }[]): Pulse {
  const beats: Beat[] = [];
  let stopped = false;
  let failure: unknown;

  async function beat(): Promise<void> {
    const from = heard.length;
    const sentAt = performance.now();
    platform.send(chat, 'ping');
    await until(() => heard.length > from, LOST_MS);
    beats.push({ sentAt, ms: (heard[from]?.at ?? performance.now()) - sentAt });
  }

  const first = beat();
  const running = first.then(async () => {
    while (!stopped) {
      await pause(REST_MS);
      await beat();
    }
  });
  running.catch((error: unknown) => {
    failure = error;
  });

  return {
    beats,
    first,
    async between(from, to) {
      await until(() => failure !== undefined || (beats.at(-1)?.sentAt ?? 0) >= to, LOST_MS);
      if (failure !== undefined) throw failure;
      return beats.filter(({ sentAt, ms }) => sentAt + ms >= from && sentAt <= to).map(({ ms }) => ms);
    },
    async stop() {
      stopped = true;
      await running.catch(() => {});
    },
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
