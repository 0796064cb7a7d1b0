import { z } from 'zod';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import type { Chats } from './chats.ts';
import { isDm } from './events.ts';
import { isAuth } from './outcome.ts';

/**
 * What was said while nobody listened: Slack keeps no events, but shows a chat's history. Read from where each chat and each
 * thread was heard last; that may be a little behind, because the host knows what it has.
 */

export interface BackfillParts {
  context: Pick<ChannelContext, 'recall' | 'remember' | 'log'>;
  chats: Chats;
  /** Puts what `fetch` finds in the chat's line, before what comes now. */
  fill(lane: string, fetch: () => Promise<readonly unknown[]>): Promise<void>;
  signal: AbortSignal;
}

const KEY = 'heard';
const SAVE_MS = 5_000;
/** What is older is not answered any more. */
const OLDEST_S = 24 * 3600;
const MOST_CHATS = 500;
const MOST_THREADS = 50;
/** As many chats wait with what comes now until they are filled; others are filled behind it. */
const FIRST = 40;
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

/** As it was when it ended: what comes now must not move its beginning. */
interface Gap {
  /** In seconds. */
  floor: number;
  chats: ReadonlyMap<string, string>;
  threads: ReadonlyMap<string, string>;
}

export function createBackfill({ context, chats, fill, signal }: BackfillParts) {
  const { log } = context;
  const before = read(context.recall(KEY));
  const seen = new Map(before?.chats);
  const threads = new Map(before?.threads);
  let since = before?.at;
  let gate: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let listening = false;

  function save(): void {
    if (!listening) return;
    const at = Date.now();
    try {
      context.remember(KEY, JSON.stringify({ at, chats: [...seen], threads: [...threads] }));
      since = at;
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

  async function missed(channel: string, { floor, chats: heardIn, threads: known }: Gap): Promise<unknown[]> {
    const oldest = oldestOf(channel, heardIn, floor);
    const top = await pages('conversations.history', { channel, oldest });
    const open = new Set(top.filter((one) => Number(one.latest_reply ?? 0) > floor).map(({ ts }) => ts));
    for (const key of known.keys()) if (key.startsWith(`${channel} `)) open.add(key.slice(channel.length + 1));
    const replies: Found[] = [];
    for (const ts of open) {
      const from = oldestOf(`${channel} ${ts}`, known, floor);
      const found = await pages('conversations.replies', { channel, ts, oldest: from }).catch((error: unknown) => {
        if (isAuth(error)) throw error;
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

  /** One chat at a time is read. */
  function reading(channel: string, gap: Gap): Promise<void> {
    return fill(channel, async () => {
      const mine = gate.then(() => missed(channel, gap));
      gate = mine.catch(() => {});
      return mine;
    }).catch((error: unknown) => {
      if (!signal.aborted) log.warn('what was missed in a chat can not be read', { channel, error: errorText(error) });
    });
  }

  return {
    heard,
    /** Called whenever events come (again). Before the first time nothing was missed. */
    async start(): Promise<void> {
      const gapSince = since;
      listening = true;
      clearInterval(timer);
      timer = setInterval(save, SAVE_MS).unref();
      if (gapSince === undefined) return save();
      // What came in the last seconds before the gap may not have been written down.
      const floor = Math.max(gapSince / 1000 - 30, Date.now() / 1000 - OLDEST_S);
      const gap = { floor, chats: new Map(seen), threads: new Map(threads) };
      const recent = [...seen.keys()].toReversed().slice(0, FIRST);
      const first = recent.map((channel) => reading(channel, gap));
      try {
        const others = (await chats.joined()).map(({ id }) => id).filter((id) => !recent.includes(id));
        for (const channel of others) await reading(channel, gap);
      } catch (error) {
        if (!signal.aborted) log.warn('the chats can not be listed', { error: errorText(error) });
      }
      await Promise.all(first);
    },
    /** Nothing is heard from now on. */
    pause(): void {
      clearInterval(timer);
      save();
      listening = false;
    },
  };
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

function read(text: string | undefined): z.infer<typeof Heard> | undefined {
  try {
    return Heard.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}
