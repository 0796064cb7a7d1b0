import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Intent } from './events.ts';
import type { Spool } from './spool.ts';

/**
 * Events on their way to the host: each is durable here before anything else, those of one chat come one after another, chats
 * side by side, and one that comes twice at a time is taken once.
 */

export interface ReceiverParts {
  spool: Spool;
  intentOf(payload: unknown): Intent;
  /** Hands it to the host; rejects when that couldn't take it. */
  carryOut(payload: unknown, intent: Intent): Promise<void>;
  log: Logger;
  timing: ReceiveTiming;
  signal: AbortSignal;
}

export interface ReceiveTiming {
  /** Slack wants to hear within three seconds. What takes longer (a large file) is durable here by then. */
  answerMs: number;
  /** Of the first pause before an event is offered again, doubled each time. */
  offerMs: number;
  /** Between looks at what could not be handed over. */
  againMs: number;
}

export const RECEIVE_TIMING: ReceiveTiming = { answerMs: 2_000, offerMs: 1_000, againMs: 60_000 };

/** For half a minute: longer would keep the chat waiting. */
const OFFERS = 5;
const OLDEST_MS = 24 * 3600_000;
const KEPT = 2_000;

export function createReceiver({ spool, intentOf, carryOut, log, timing, signal }: ReceiverParts) {
  const lanes = new Map<string, Promise<unknown>>();
  const running = new Map<string, Promise<void>>();
  const taken = new Set<string>();
  let again: NodeJS.Timeout | undefined;
  let isClosed = false;
  let looking = Promise.resolve();

  /** Behind everything that came before in that lane. */
  function inLane<T>(lane: string, job: () => Promise<T>): Promise<T> {
    const before = lanes.get(lane) ?? Promise.resolve();
    const mine = before.then(job, job);
    const settled = mine.catch(() => {});
    lanes.set(lane, settled);
    void settled.then(() => lanes.get(lane) === settled && lanes.delete(lane));
    return mine;
  }

  /** Resolves when the event is durable here or at the host; rejects when it is neither. */
  async function take(payload: unknown): Promise<void> {
    if (isClosed) throw new Error('The channel is being stopped.');
    const intent = intentOf(payload);
    if (intent.kind === 'nothing') return log.info('passed over', { reason: intent.reason });
    if (intent.kind === 'revoked') return carryOut(payload, intent);
    const { key, lane } = intent;
    if (taken.has(key)) return;
    const durable = running.get(key) ?? begun(key, lane, payload, intent);
    await durable;
  }

  function begun(key: string, lane: string, payload: unknown, intent: Intent): Promise<void> {
    const putting = spool.put(payload);
    // In line before it is on the disk: the order is the one of coming.
    const done = inLane(lane, async () => {
      const name = await putting;
      if (await offered(payload, intent)) {
        noteTaken(key);
        await spool.drop(name);
      }
    });
    done.catch(() => {}).finally(() => running.delete(key));
    const durable = putting.then(() => Promise.race([done, sleep(timing.answerMs, undefined, { ref: false })]));
    running.set(key, durable);
    return durable;
  }

  async function offered(payload: unknown, intent: Intent): Promise<boolean> {
    for (let offers = 1; ; offers++) {
      try {
        signal.throwIfAborted();
        await carryOut(payload, intent);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        log.warn('an event was not taken', { offers, error: errorText(error) });
        if (offers > OFFERS) return false;
        await sleep(timing.offerMs * 2 ** (offers - 1), undefined, { signal }).catch(() => {});
      }
    }
  }

  function noteTaken(key: string): void {
    taken.add(key);
    const [oldest] = taken;
    if (taken.size > KEPT && oldest !== undefined) taken.delete(oldest);
  }

  /** What an earlier process, or a host that was full, has left on the disk. */
  async function offerLeft(): Promise<void> {
    for (const { name, payload, at } of await spool.left()) {
      if (signal.aborted) return;
      const intent = intentOf(payload);
      if (!('lane' in intent) || taken.has(intent.key) || Date.now() - at > OLDEST_MS) {
        if (Date.now() - at > OLDEST_MS) log.error('an event was given up after a day', { name });
        await spool.drop(name);
      } else if (!running.has(intent.key)) {
        const { key, lane } = intent;
        const done = inLane(lane, async () => {
          if (await offered(payload, intent)) {
            noteTaken(key);
            await spool.drop(name);
          }
        });
        running.set(
          key,
          done.finally(() => running.delete(key)),
        );
        done.catch(() => {});
      }
    }
  }

  /** Events that are found elsewhere, before those that come now. */
  function fill(lane: string, fetch: () => Promise<readonly unknown[]>): Promise<void> {
    return inLane(lane, async () => {
      for (const payload of await fetch()) {
        const intent = intentOf(payload);
        if (!('key' in intent) || taken.has(intent.key)) continue;
        if (await offered(payload, intent)) noteTaken(intent.key);
        else if (!signal.aborted) await spool.put(payload);
      }
    });
  }

  return {
    take,
    fill,
    close(): void {
      isClosed = true;
      clearInterval(again);
    },
    /** Puts what was left in line, before anything that comes now. */
    async start(): Promise<void> {
      await offerLeft();
      const look = () => {
        looking = offerLeft().catch((error: unknown) => log.warn('the spool can not be read', { error }));
      };
      again = setInterval(look, timing.againMs).unref();
    },
    /** Resolves when nothing is on its way to the host any more. */
    async idle(): Promise<void> {
      await looking;
      await Promise.all(lanes.values());
    },
  };
}
