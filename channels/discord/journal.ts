import { z } from 'zod';
import type { Keep } from './keep.ts';
import { newer, snowflakeAt } from './snowflake.ts';

/**
 * How far the host has come, so that a crash is made good: the gateway's session with the number up to which everything is
 * durable (RESUME brings what follows), and the newest message of each channel (history brings what RESUME can't). It is
 * written a moment later, never ahead of what it speaks of: a crash in between brings some of it once more.
 */
export interface Journal {
  session(): Session | undefined;
  /** A new session: numbers begin anew. */
  begin(session: Omit<Session, 'seq'>): void;
  forget(): void;
  /** A numbered event came. Call what it returns when that event is durable. */
  received(seq: number): () => void;
  /** How many numbered events are not durable yet. */
  waiting(): number;
  /** Resolves when there are fewer than that. Rejects with an AbortError. */
  fewerThan(count: number, signal: AbortSignal): Promise<void>;
  /** The host has this message, or never will. */
  taken(channelId: string, messageId: string): void;
  /** From where on the history of this channel is unknown; undefined before the bot has ever listened. */
  after(channelId: string): string | undefined;
  /** Its history can't be read now: what is said there from now on must not hide what is missing. */
  hold(channelId: string): void;
  /** Its history has been read. */
  release(channelId: string): void;
  /** There may be messages that neither a session brings nor anybody has fetched: since the last time that all was heard. */
  isBehind(): boolean;
  caughtUp(): void;
  /** Everything up to now was heard, if nothing is on its way. */
  heard(): void;
  known(): readonly string[];
  write(): void;
}

export type Session = z.infer<typeof Session>;
const Session = z.object({ id: z.string(), url: z.string(), seq: z.number().int().nonnegative() });
const Kept = z.object({
  session: Session.optional(),
  /** In ms. */
  heardAt: z.number().optional(),
  behind: z.boolean().optional(),
  newest: z.array(z.tuple([z.string(), z.string()])),
  held: z.array(z.tuple([z.string(), z.string()])).optional(),
});

const MOST_CHANNELS = 1_000;
const WRITE_MS = 250;
/** Where it could not be written. */
const AGAIN_MS = 5_000;
/** Two clocks, and messages that overtake each other. */
const MARGIN_MS = 5 * 60_000;

export function createJournal({ recall, remember }: Keep): Journal {
  const kept = read(recall('journal'));
  let { session, heardAt, behind = false } = kept;
  const newest = new Map(kept.newest);
  const held = new Map(kept.held);
  let open = new Set<number>();
  let highest = session?.seq ?? 0;
  let timer: NodeJS.Timeout | undefined;
  let enough = { below: 0, resolve: () => {} };

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    const since = { ...(session && { session }), ...(heardAt !== undefined && { heardAt }) };
    const value = { ...since, behind, newest: [...newest], held: [...held] };
    if (!remember('journal', JSON.stringify(value))) soon(AGAIN_MS);
  }

  function soon(ms = WRITE_MS): void {
    timer ??= setTimeout(write, ms);
    timer.unref();
  }

  function after(channelId: string): string | undefined {
    const since = heardAt === undefined ? undefined : snowflakeAt(heardAt - MARGIN_MS);
    return held.get(channelId) ?? newest.get(channelId) ?? since;
  }

  function hold(channelId: string): void {
    const from = after(channelId);
    if (from !== undefined && held.size < MOST_CHANNELS) held.set(channelId, from);
    soon();
  }

  function begin(next: Session | undefined): void {
    session = next;
    open = new Set();
    highest = 0;
    soon();
  }

  return {
    session: () => session,
    begin({ id, url }) {
      // Before it has ever listened there is nothing to fetch.
      behind = heardAt !== undefined;
      begin({ id, url, seq: 0 });
    },
    forget: () => begin(undefined),
    received(seq) {
      const own = open;
      own.add(seq);
      highest = Math.max(highest, seq);
      return () => {
        own.delete(seq);
        if (open.size < enough.below) enough.resolve();
        if (own !== open || !session) return;
        const lowest = own.size === 0 ? highest + 1 : Math.min(...own);
        if (lowest - 1 <= session.seq) return;
        session = { ...session, seq: lowest - 1 };
        soon();
      };
    },
    waiting: () => open.size,
    async fewerThan(below, signal) {
      if (open.size < below) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      enough = { below, resolve };
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      await promise.finally(() => signal.removeEventListener('abort', onAbort));
    },
    taken(channelId, messageId) {
      const known = newest.get(channelId);
      if (known !== undefined && !newer(messageId, known)) return;
      // Perhaps it is not known yet that there is something to fetch.
      if (known === undefined && behind && !held.has(channelId)) hold(channelId);
      newest.delete(channelId);
      newest.set(channelId, messageId);
      const [oldest] = newest.keys();
      if (newest.size > MOST_CHANNELS && oldest !== undefined) newest.delete(oldest);
      soon();
    },
    after,
    hold,
    release(channelId) {
      if (held.delete(channelId)) soon();
    },
    isBehind: () => behind,
    caughtUp() {
      behind = false;
      held.clear();
      soon();
    },
    heard() {
      if (behind || open.size > 0) return;
      heardAt = Date.now();
      soon();
    },
    known: () => [...new Set([...newest.keys(), ...held.keys()])],
    write,
  };
}

function read(text: string | undefined): z.infer<typeof Kept> {
  try {
    return Kept.parse(JSON.parse(text ?? ''));
  } catch {
    return { newest: [] };
  }
}
