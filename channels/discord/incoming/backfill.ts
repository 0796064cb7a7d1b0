import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorText } from '../../../src/errors.ts';
import type { Logger } from '../../../src/log/index.ts';
import { Lost } from '../../http/lost.ts';
import { listChannels } from '../directory.ts';
import type { Journal } from '../journal.ts';
import type { Places } from '../places.ts';
import { type Api, Refusal } from '../rest/api.ts';
import { newer, snowflakeAt } from '../snowflake.ts';
import { Message } from './events.ts';

/** Fetches what was written while the gateway knew us no more: from the history of each channel, the oldest first. */
export interface Backfill {
  /** Discord has begun a new session, or the last fetching was not finished. */
  begin(): void;
  isRunning(): boolean;
  /** Resolves when what is missing of this channel has been taken, or can't be had. Never rejects. */
  of(channelId: string): Promise<void>;
}

export interface BackfillParts {
  api: Api;
  places: Places;
  journal: Journal;
  /** Resolves when the message is durable. */
  takeMessage(message: Message): Promise<void>;
  log: Logger;
  signal: AbortSignal;
  /** Of the first pause before Discord is asked again. */
  pauseMs: number;
}

const PAGE = 100;
const MOST_PAGES = 5;
/** An older question has found another answer. */
const OLDEST_MS = 24 * 3_600_000;
const SIDE_BY_SIDE = 4;
const TRIES = 6;
/** Until what could not be had is asked for again. */
const AGAIN_MS = 5 * 60_000;

export function createBackfill(parts: BackfillParts): Backfill {
  const { api, places, journal, takeMessage, log, signal, pauseMs } = parts;
  const fetched = new Map<string, Promise<void>>();
  let planned = Promise.resolve();
  let running = 0;
  let begun = 0;
  /** The last one that has begun: it had all that the others had not. */
  let wasWhole = false;

  async function run(): Promise<void> {
    begun += 1;
    const own = begun;
    const { ids, isAll } = await worthAsking();
    const mine = new Map<string, Promise<void>>();
    let isWhole = isAll;
    const rows = Array.from({ length: SIDE_BY_SIDE }, () => Promise.resolve());
    for (const [index, id] of ids.entries()) {
      const row = index % SIDE_BY_SIDE;
      const fetching = (rows[row] ?? Promise.resolve()).then(async () => {
        const isRead = await one(id);
        if (isRead && own === begun) journal.release(id);
        isWhole &&= isRead;
      });
      rows[row] = fetching;
      mine.set(id, fetching);
      fetched.set(id, fetching);
    }
    void Promise.all(rows).then(() => {
      running -= 1;
      for (const [id, fetching] of mine) if (fetched.get(id) === fetching) fetched.delete(id);
      if (own === begun) wasWhole = isWhole;
      if (running > 0 || signal.aborted) return;
      if (wasWhole) journal.caughtUp();
      else setTimeout(again, AGAIN_MS).unref();
    });
  }

  function begin(): void {
    running += 1;
    planned = planned.then(run);
  }

  function again(): void {
    if (running === 0 && journal.isBehind() && !signal.aborted) begin();
  }

  /** Those that have something new, as Discord tells it; direct chats it doesn't list. */
  async function worthAsking(): Promise<{ ids: readonly string[]; isAll: boolean }> {
    const direct = places.directChats().map(({ platformId }) => platformId);
    try {
      const listed = await patiently(() => listChannels(api, places, signal));
      const fresh = listed.filter(({ id, last_message_id: last }) => {
        const from = journal.after(id);
        return last && from !== undefined && newer(last, from);
      });
      return { ids: [...new Set([...fresh.map(({ id }) => id), ...direct])], isAll: true };
    } catch (error) {
      if (!signal.aborted) log.warn('the channels can not be listed', { error: errorText(error) });
      return { ids: [...new Set([...journal.known(), ...direct])], isAll: isForGood(error) };
    }
  }

  /** False: there is more that could not be had now. */
  async function one(channelId: string): Promise<boolean> {
    const oldest = snowflakeAt(Date.now() - OLDEST_MS);
    const from = journal.after(channelId) ?? oldest;
    try {
      const count = await pages(channelId, newer(from, oldest) ? from : oldest);
      if (count > 0) log.info('fetched what was written meanwhile', { channel: channelId, messages: count });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      log.warn('the history can not be read', { channel: channelId, error: errorText(error) });
      if (isForGood(error)) return true;
      journal.hold(channelId);
      return false;
    }
  }

  async function pages(channelId: string, from: string): Promise<number> {
    let after = from;
    for (let page = 1, taken = 0; ; page++) {
      const path = `/channels/${channelId}/messages?limit=${PAGE}&after=${after}`;
      const messages = await patiently(() => api.call('GET', path, z.array(z.unknown()), { signal }));
      const read = messages.flatMap((raw) => Message.safeParse(raw).data ?? []);
      read.sort((a, b) => (newer(a.id, b.id) ? 1 : -1));
      for (const message of read) {
        signal.throwIfAborted();
        await takeMessage(message);
        after = message.id;
      }
      taken += read.length;
      if (messages.length < PAGE || read.length === 0) return taken;
      if (page === MOST_PAGES) {
        log.warn('there is more history than is fetched', { channel: channelId, messages: taken });
        return taken;
      }
    }
  }

  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error) || tries === TRIES) throw error;
        const asked = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0;
        await sleep(Math.max(asked, pauseMs * 2 ** (tries - 1)), undefined, { signal });
      }
    }
  }

  return {
    begin,
    isRunning: () => running > 0,
    async of(channelId) {
      await planned;
      await fetched.get(channelId);
    },
  };
}

function isPassing(error: unknown): boolean {
  return error instanceof Lost || (error instanceof Refusal && (error.status === 429 || error.status >= 500));
}

/** With another token it may be had. */
function isForGood(error: unknown): boolean {
  return error instanceof Refusal && !isPassing(error) && error.status !== 401;
}
