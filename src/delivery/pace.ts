import type { ChannelAdapter, DeliveryResult, Rate } from '../channels/adapter.ts';
import { createRates } from '../channels/rates.ts';
import { errorText } from '../errors.ts';

/** One call at a platform, at the pace that it asks for. */

/** A call that never comes back must not hold its chat for ever; the next one has the same id. */
const CALL_MS = 5 * 60_000;

export interface Pace {
  /** Waits for its place, then calls; false: the host is stopping, and nothing may be begun. */
  turn(adapter: ChannelAdapter, platformId: string): Promise<boolean>;
  /** Takes a place that nobody else will miss; false: there is none. */
  hasRoom(adapter: ChannelAdapter, platformId: string): boolean;
  call(adapter: ChannelAdapter, work: () => Promise<DeliveryResult>): Promise<DeliveryResult>;
  /** Those that wait are let go, to find that nothing is begun any more. */
  stop(): void;
}

export function createPace(): Pace {
  const rates = createRates();
  /** Those that wait for their place in a rate. */
  const resting = new Set<() => void>();
  let stopped = false;

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1));
      resting.add(end);
    });
  }

  return {
    async turn({ channelType, capabilities: { rate = {} } }, platformId) {
      const now = performance.now();
      const waits = [
        rates.held(channelType, now),
        rate.chat ? rates.take(`${channelType}\n${platformId}`, rate.chat, now) : 0,
        rate.account ? rates.take(channelType, rate.account, now) : 0,
      ];
      if (Math.max(...waits) > 0) await rest(Math.max(...waits));
      return !stopped;
    },
    hasRoom({ channelType, capabilities: { rate = {} } }, platformId) {
      const now = performance.now();
      const kept: [string, Rate | undefined][] = [
        [`${channelType}\n${platformId}`, rate.chat],
        [channelType, rate.account],
      ];
      if (stopped || rates.held(channelType, now) > 0) return false;
      if (kept.some(([key, limit]) => limit && !rates.hasRoom(key, limit, now))) return false;
      for (const [key, limit] of kept) if (limit) rates.take(key, limit, now);
      return true;
    },
    async call({ channelType }, work) {
      const result = await within(CALL_MS, work()).catch(
        (error: unknown): DeliveryResult => ({ status: 'failed', retryable: true, error: errorText(error) }),
      );
      if (result.status === 'failed' && result.account && result.retryAfterMs) {
        rates.hold(channelType, performance.now() + result.retryAfterMs);
      }
      return result;
    },
    stop() {
      stopped = true;
      for (const end of resting) end();
    },
  };
}

async function within(ms: number, call: Promise<DeliveryResult>): Promise<DeliveryResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DeliveryResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'unknown', error: 'no answer in time' }), ms);
    timer.unref();
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}
