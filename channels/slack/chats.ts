import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ListedChat } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { tidy } from '../chat-sdk/names.ts';
import { type Api, type Fields, Refusal } from './api.ts';
import { isDm } from './events.ts';
import { isRateLimit } from './outcome.ts';

/** Which chats the bot is in, and what they are called. */

const Conversation = z.looseObject({
  id: z.string(),
  name: z.string().optional(),
  user: z.string().optional(),
  is_im: z.boolean().optional(),
  is_mpim: z.boolean().optional(),
});
type Conversation = z.infer<typeof Conversation>;
const Conversations = z.object({
  channels: z.array(Conversation),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});
const Info = z.object({ channel: Conversation });
const User = z.object({
  user: z.looseObject({
    name: z.string().optional(),
    real_name: z.string().optional(),
    profile: z.looseObject({ display_name: z.string().optional(), real_name: z.string().optional() }).optional(),
  }),
});
const Opened = z.object({ channel: z.looseObject({ id: z.string() }) });

const PAGE = 200;
const MOST_PAGES = 10;
const MOST_NAMES = 100;
const KEPT = 1_000;
const NAME_MS = 3600_000;
const WAITS = 5;
/** Who waits longer keeps a chat from what comes now. */
const LONGEST_REST_MS = 60_000;
const HANDLE = /^[UW][A-Z0-9]{1,30}$/;

export function createChats(api: Api, log: Logger, signal: AbortSignal) {
  const names = new Map<string, { name: string | undefined; until: number }>();

  /** Waits when Slack wants to be left alone: nobody waits for this. */
  async function patiently<T>(method: string, fields: Fields, answer: z.ZodType<T>): Promise<T> {
    for (let waits = 0; ; waits++) {
      try {
        return await api.call(method, fields, answer, { signal });
      } catch (error) {
        if (!(error instanceof Refusal && isRateLimit(error)) || waits === WAITS) throw error;
        const { retryAfterMs = 1_000 } = error;
        if (retryAfterMs > LONGEST_REST_MS) throw error;
        await sleep(retryAfterMs, undefined, { signal });
      }
    }
  }

  /** Undefined where Slack doesn't say; asked again after an hour. */
  async function named(key: string, ask: () => Promise<string | undefined>): Promise<string | undefined> {
    const known = names.get(key);
    if (known && known.until > Date.now()) return known.name;
    const name = await ask().catch((error: unknown) => {
      log.info('slack does not tell a name', { key, error: errorText(error) });
      return undefined;
    });
    names.set(key, { name, until: Date.now() + NAME_MS });
    const [oldest] = names.keys();
    if (names.size > KEPT && oldest !== undefined) names.delete(oldest);
    return name;
  }

  function nameOfUser(id: string): Promise<string | undefined> {
    return named(id, async () => {
      const { name, real_name, profile } = (await api.call('users.info', { user: id }, User, { signal })).user;
      return tidy([profile?.display_name, profile?.real_name, real_name, name].find((one) => one));
    });
  }

  function nameOf(platformId: string): Promise<string | undefined> {
    return named(platformId, async () => {
      const { channel } = await api.call('conversations.info', { channel: platformId }, Info, { signal });
      return channel.is_im ? undefined : tidy(channel.name);
    });
  }

  async function joined(): Promise<Conversation[]> {
    const found: Conversation[] = [];
    const fields = { types: 'public_channel,private_channel,mpim,im', exclude_archived: true, limit: PAGE };
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const answer = await patiently('users.conversations', { ...fields, ...(cursor && { cursor }) }, Conversations);
      found.push(...answer.channels);
      cursor = answer.response_metadata?.next_cursor;
      if (!cursor) break;
    }
    return found;
  }

  return {
    nameOf,
    joined,
    patiently,
    async list(): Promise<ListedChat[]> {
      const chats: ListedChat[] = [];
      for (const one of await joined()) {
        const isGroup = !isDm(one.id);
        const name =
          isGroup || one.user === undefined || chats.length >= MOST_NAMES ? one.name : await nameOfUser(one.user);
        const speaker = one.user === undefined ? {} : { speaker: { id: `slack:${one.user}`, name: name ?? one.user } };
        if (one.user !== 'USLACKBOT')
          chats.push({ platformId: one.id, name: tidy(name) ?? one.id, isGroup, ...speaker });
      }
      return chats;
    },
    async openDm(handle: string): Promise<string | undefined> {
      if (!HANDLE.test(handle)) return undefined;
      try {
        return (await api.call('conversations.open', { users: handle }, Opened, { signal })).channel.id;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        log.info('a chat could not be opened', { handle, error: errorText(error) });
        return undefined;
      }
    },
  };
}

export type Chats = ReturnType<typeof createChats>;
