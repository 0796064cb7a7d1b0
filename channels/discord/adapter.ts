import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type {
  ChannelAdapter,
  ChannelHealth,
  ChannelHost,
  DeliveryResult,
  ListedChat,
} from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import { CHATS, listChannels } from './directory.ts';
import { healthBy } from './gateway/closes.ts';
import { createGateway, TIMING, type Timing } from './gateway/gateway.ts';
import { createDownloads } from './incoming/downloads.ts';
import { Channel } from './incoming/events.ts';
import { createReceiver } from './incoming/receive.ts';
import { createSurroundings } from './incoming/surroundings.ts';
import { createJournal } from './journal.ts';
import { keepIn } from './keep.ts';
import { channelOf, createSender, MAX_FILE_BYTES, MAX_TEXT } from './outgoing/send.ts';
import { createPlaces, type Places } from './places.ts';
import { type Api, createApi, Refusal } from './rest/api.ts';
import { outcomeOf } from './rest/outcome.ts';
import { isSnowflake } from './snowflake.ts';

export const OFFICIAL = 'https://discord.com/api/v10';
const GRACE_MS = 1_000;
/** Discord shows it for ten seconds. */
const TYPING_MS = 8_000;

export const Me = z.object({ id: z.string(), username: z.string() });

/** Throws NC_CHANNEL. */
export function openApi({ settings }: Pick<ChannelContext, 'settings'>): { api: Api; token: string } {
  const { TOKEN = '', API_URL: url = OFFICIAL } = settings;
  const token = TOKEN.trim().replace(/^Bot /i, '');
  if (!/^[\w.:-]{5,200}$/.test(token)) {
    throw new NanoError('NC_CHANNEL', "Discord's token is some 70 letters, digits, dashes and dots in three parts.");
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new NanoError('NC_CHANNEL', 'API_URL is an address that begins with https:// or http://.');
  }
  return { api: createApi(url, token), token };
}

export function createDiscord(context: ChannelContext, timing: Timing = TIMING): ChannelAdapter {
  const { instance: channelType, folder, log } = context;
  const { api, token } = openApi(context);
  const keep = keepIn(context);
  const journal = createJournal(keep);
  const end = new AbortController();
  const { signal } = end;
  const typedAt = new Map<string, number>();
  let botId: string | undefined;
  let places: Places | undefined;
  let gateway: ReturnType<typeof createGateway> | undefined;
  let running: Promise<void> | undefined;

  const health = (): ChannelHealth => gateway?.health() ?? { state: 'connecting' };
  const isConnected = () => health().state === 'connected';
  const sender = createSender({
    api,
    keep,
    isConnected,
    botId: () => botId,
  });

  async function whoAmI(): Promise<z.infer<typeof Me>> {
    try {
      return await api.call('GET', '/users/@me', Me, { signal });
    } catch (error) {
      throw new NanoError('NC_CHANNEL', healthBy(error).detail ?? errorText(error));
    }
  }

  function begin(host: ChannelHost, me: z.infer<typeof Me>): void {
    const known = createPlaces(api, me.id, keep);
    const downloads = createDownloads(api, join(folder, 'downloads'), log);
    const { pauseMs } = timing;
    const receiver = createReceiver({
      channelType,
      me,
      host,
      api,
      places: known,
      downloads,
      journal,
      log,
      signal,
      pauseMs,
    });
    const surroundings = createSurroundings({ channelType, host, places: known, log });
    places = known;
    gateway = createGateway({
      api,
      token,
      journal,
      timing,
      log,
      signal,
      take: (type, data) => (surroundings.takes(type) ? surroundings : receiver).take(type, data),
      onConnected(isNew) {
        receiver.connected(isNew);
        journal.heard();
        host.available(channelType);
      },
    });
    running = gateway.run();
  }

  async function listChats(): Promise<ListedChat[]> {
    if (!places) return [];
    const channels = await listChannels(api, places, signal);
    const known = places;
    const listed = channels
      .filter(({ type }) => CHATS.has(type))
      .map(({ id, name, guild_id }) => ({
        platformId: id,
        name: `#${name ?? id} (${known.guildName(guild_id ?? '') ?? 'a server'})`,
        isGroup: true,
      }));
    return [...known.directChats(), ...listed];
  }

  return {
    channelType,
    capabilities: {
      threads: true,
      maxTextLength: MAX_TEXT,
      buttons: true,
      edits: true,
      reactions: true,
      idempotencyKey: true,
      afterDowntime: 'backfill',
      maxFileBytes: MAX_FILE_BYTES,
      rate: { chat: { count: 5, perMs: 5_000 }, account: { count: 45, perMs: 1_000 } },
    },
    async start(host) {
      const me = await whoAmI();
      botId = me.id;
      begin(host, me);
    },
    async stop() {
      end.abort();
      // What the host is taking is not acknowledged, and comes again: it need not be waited for to the end.
      await Promise.race([running, sleep(GRACE_MS, undefined, { ref: false })]);
      if (gateway) journal.write();
    },
    health,
    deliver: sender.deliver,
    typing(platformId, threadId, on) {
      const id = threadId ?? platformId;
      const now = performance.now();
      if (!on) typedAt.delete(id);
      if (!on || !isConnected() || !isSnowflake(id) || now - (typedAt.get(id) ?? -TYPING_MS) < TYPING_MS) return;
      typedAt.set(id, now);
      api
        .call('POST', `/channels/${id}/typing`, z.unknown(), { signal, timeoutMs: 5_000 })
        .catch((error: unknown) => log.debug('typing was not shown', { error: errorText(error) }));
    },
    async react(platformId, threadId, messageId, emoji): Promise<DeliveryResult> {
      try {
        if (!isSnowflake(messageId)) throw new Refusal(404, 10_008, 'there is no such message');
        const channel = channelOf(threadId ?? platformId);
        const path = `/channels/${channel}/messages/${messageId}/reactions/${encodeURIComponent(emoji)}/@me`;
        await api.call('PUT', path, z.unknown(), { signal });
        return { status: 'sent' };
      } catch (error) {
        return outcomeOf(error, isConnected(), true);
      }
    },
    isChatId: isSnowflake,
    async openDm(handle) {
      if (!isSnowflake(handle)) return undefined;
      try {
        const channel = await api.call('POST', '/users/@me/channels', Channel, {
          body: { recipient_id: handle },
          signal,
        });
        const user = channel.recipients?.find(({ id }) => id === handle) ?? { id: handle };
        places?.noteDirect(channel.id, user);
        return channel.id;
      } catch (error) {
        if (error instanceof Refusal && error.status < 429 && error.status !== 401) return undefined;
        throw error;
      }
    },
    listChats,
  };
}
