import { z } from 'zod';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import type { Chats } from './chats.ts';
import { isDm } from './events.ts';
import { isAuth, outcomeOf } from './outcome.ts';

/**
 * What was said while nobody listened: Slack keeps no events, but shows a chat's history. Read from where each chat and each
 * thread was heard last; that may be a little behind, because the host knows what it has.
 */

export interface BackfillParts {
  context: Pick<ChannelContext, 'recall' | 'remember' | 'log'>;
  chats: Chats;
  /** Puts what `fetch` finds in the chat's line, before what comes now. */
  fill(lane: string, fetch: () => Promise<readonly unknown[]>): Promise<void>;
  /** Until when the line was surely whole, in ms: one can be dead for hours before anybody notices, as in a sleep. */
  aliveAt(): number;
  signal: AbortSignal;
}

const KEY = 'heard';
const SAVE_MS = 5_000;
/** What came in the last seconds before a gap may not have been written down. In ms. */
const MARGIN_MS = 30_000;
/** What is older is not answered any more. */
const OLDEST_S = 24 * 3600;
const MOST_CHATS = 500;
const MOST_THREADS = 50;
/** As many chats wait with what comes now until they are filled; others are filled behind it. */
const FIRST = 40;
/** Until a history is asked for again that could not be read. */
const AGAIN_MS = 5 * 60_000;
const PAGE = 200;
const MOST_PAGES = 5;

const Marks = z.array(z.tuple([z.string(), z.string()]));
const Heard = z.object({ at: z.number(), chats: Marks, threads: Marks });
const Found = z.looseObject({
  ts: z.string(),
  thread_ts: z.string().optional(),
  latest_reply: z.string().optional(),
});
type Found = z.infer<typeof Found>;
const Page = z.object({
  messages: z.array(z.unknown()),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});

/** As it was when it began: what comes now must not move its beginning, until all of it has been read. */
interface Gap {
  /** In ms. */
  at: number;
  chats: ReadonlyMap<string, string>;
  threads: ReadonlyMap<string, string>;
}

export function createBackfill({ context, chats, fill, aliveAt, signal }: BackfillParts) {
  const { log } = context;
  const before = parsed(context.recall(KEY));
  const seen = new Map(before?.chats);
  const threads = new Map(before?.threads);
  let since = before?.at;
  /** Not read to its end. */
  let gap: Gap | undefined;
  let readings = 0;
  let gate: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let listening = false;

  function save(): void {
    if (!listening) return;
    since = aliveAt();
    const kept = gap ?? { at: since, chats: seen, threads };
    try {
      context.remember(KEY, JSON.stringify({ at: kept.at, chats: [...kept.chats], threads: [...kept.threads] }));
    } catch (error) {
      log.warn('how far was heard can not be written down', { error: errorText(error) });
    }
  }

  function heard(channel: string, ts: string, thread: string | undefined): void {
    put(seen, channel, ts, MOST_CHATS);
    if (thread !== undefined && thread !== ts) put(threads, `${channel} ${thread}`, ts, MOST_THREADS);
  }

  /** The newest moment of a chat that needs no reading. */
  function oldestOf(key: string, marks: ReadonlyMap<string, string>, floor: number): string {
    return String(Math.max(Number(marks.get(key) ?? 0), floor).toFixed(6));
  }

  async function pages(method: string, fields: Record<string, unknown>): Promise<Found[]> {
    const found: Found[] = [];
    let cursor: string | undefined;
    for (let count = 0; count < MOST_PAGES; count++) {
      const answer = await chats.patiently(method, { ...fields, limit: PAGE, ...(cursor && { cursor }) }, Page);
      found.push(...answer.messages.flatMap((one) => Found.safeParse(one).data ?? []));
      cursor = answer.response_metadata?.next_cursor;
      if (!cursor) return found;
    }
    log.warn('more was said than is read', { method, channel: fields.channel });
    return found;
  }

  async function missed(channel: string, { at, chats: heardIn, threads: known }: Gap): Promise<unknown[]> {
    const floor = Math.max((at - MARGIN_MS) / 1000, Date.now() / 1000 - OLDEST_S);
    const oldest = oldestOf(channel, heardIn, floor);
    const top = await pages('conversations.history', { channel, oldest });
    const open = new Set(top.filter((one) => Number(one.latest_reply ?? 0) > floor).map(({ ts }) => ts));
    for (const key of known.keys()) if (key.startsWith(`${channel} `)) open.add(key.slice(channel.length + 1));
    const replies: Found[] = [];
    for (const ts of open) {
      const from = oldestOf(`${channel} ${ts}`, known, floor);
      const found = await pages('conversations.replies', { channel, ts, oldest: from }).catch((error: unknown) => {
        if (isAuth(error) || isPassing(error)) throw error;
        log.info('a thread can not be read', { channel, ts, error: errorText(error) });
        return [];
      });
      // The first message of a thread comes with each of its pages.
      replies.push(...found.filter((one) => one.ts !== ts && Number(one.ts) > Number(from)));
    }
    const all = new Map([...top, ...replies].map((one) => [one.ts, one]));
    return [...all.values()]
      .sort((one, other) => Number(one.ts) - Number(other.ts))
      .map((one) => eventOf(channel, one));
  }

  /** One chat at a time is read. Resolves with whether it was, or never can be. */
  async function reading(channel: string, from: Gap): Promise<boolean> {
    try {
      await fill(channel, () => {
        const mine = gate.then(() => missed(channel, from));
        gate = mine.catch(() => {});
        return mine;
      });
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn('what was missed in a chat can not be read', { channel, error: errorText(error) });
      return !signal.aborted && !isPassing(error);
    }
  }

  async function readAll(from: Gap): Promise<boolean> {
    const recent = [...from.chats.keys()].toReversed().slice(0, FIRST);
    const first = recent.map((channel) => reading(channel, from));
    const read: boolean[] = [];
    try {
      const others = (await chats.joined()).map(({ id }) => id).filter((id) => !recent.includes(id));
      for (const channel of others) read.push(await reading(channel, from));
    } catch (error) {
      if (!signal.aborted) log.warn('the chats can not be listed', { error: errorText(error) });
      read.push(!signal.aborted && !isPassing(error));
    }
    return [...read, ...(await Promise.all(first))].every((isRead) => isRead);
  }

  async function read(): Promise<void> {
    clearTimeout(again);
    if (since === undefined) return;
    gap ??= { at: since, chats: new Map(seen), threads: new Map(threads) };
    readings += 1;
    const own = readings;
    const isWhole = await readAll(gap);
    // Another one has begun since, with a later break behind it.
    if (own !== readings || signal.aborted) return;
    if (isWhole) gap = undefined;
    else if (listening) again = setTimeout(() => void read(), AGAIN_MS).unref();
    save();
  }

  return {
    heard,
    /** The bot has spoken there: what is answered to it belongs to that thread. */
    spoke: (channel: string, thread: string) => put(threads, `${channel} ${thread}`, thread, MOST_THREADS),
    /** Called whenever events come (again). Before the first time nothing was missed. */
    async start(): Promise<void> {
      listening = true;
      clearInterval(timer);
      timer = setInterval(save, SAVE_MS).unref();
      await read();
      save();
    },
    /** Nothing is heard from now on. */
    pause(): void {
      clearInterval(timer);
      clearTimeout(again);
      save();
      listening = false;
    },
  };
}

function isPassing(error: unknown): boolean {
  const outcome = outcomeOf(error, true);
  return outcome.status === 'unknown' || outcome.retryable;
}

/** As the event would have been. */
function eventOf(channel: string, message: Found): unknown {
  const channel_type = isDm(channel) ? 'im' : 'channel';
  const event = { ...message, type: 'message', channel, channel_type };
  return { type: 'event_callback', event_id: `history ${channel} ${message.ts}`, event };
}

/** The newest last. */
function put(marks: Map<string, string>, key: string, ts: string, most: number): void {
  const newest = Number(marks.get(key) ?? 0) > Number(ts) ? marks.get(key) : ts;
  marks.delete(key);
  if (newest !== undefined) marks.set(key, newest);
  const [oldest] = marks.keys();
  if (marks.size > most && oldest !== undefined) marks.delete(oldest);
}

function parsed(text: string | undefined): z.infer<typeof Heard> | undefined {
  try {
    return Heard.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
