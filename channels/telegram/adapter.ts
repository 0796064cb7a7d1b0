import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { ChannelAdapter, ChannelHealth, DeliveryResult } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import { type Api, createApi } from './api.ts';
import { createDecoder } from './decode.ts';
import { createDownloads } from './downloads.ts';
import { outcomeOf } from './outcome.ts';
import { createPlaces, numberOf } from './places.ts';
import { createPoller, healthBy, TIMING, type Timing } from './poller.ts';
import { createReceiver } from './receive.ts';
import { createSender, MAX_FILE_BYTES, MAX_TEXT } from './send.ts';
import { Me } from './updates.ts';

const OFFICIAL = 'https://api.telegram.org';
const MAX_OFFICIAL_BYTES = 20 * 1024 * 1024;
/** Of the bot's own messages: how many are known again. */
const OWN_KEPT = 1_000;
const GRACE_MS = 1_000;
const EMOJI_MARKS = /\uFE0F/g;

/** Throws NC_CHANNEL. */
export function openApi({ settings }: Pick<ChannelContext, 'settings'>): Api {
  const { TOKEN: token = '', API_URL: url = OFFICIAL } = settings;
  if (!/^[\w:-]{5,200}$/.test(token)) {
    throw new NanoError('NC_CHANNEL', "Telegram's token is digits, a colon, and about 35 letters and digits.");
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new NanoError('NC_CHANNEL', 'API_URL is an address that begins with https:// or http://.');
  }
  return createApi(url, token);
}

export function createTelegram(context: ChannelContext, timing: Timing = TIMING): ChannelAdapter {
  const { instance: channelType, folder, log, settings } = context;
  const api = openApi(context);
  const places = createPlaces(context);
  const own = new Set<string>();
  const end = new AbortController();
  const isOfficial = (settings.API_URL ?? OFFICIAL) === OFFICIAL;
  const downloads = createDownloads(
    api,
    join(folder, 'downloads'),
    isOfficial ? MAX_OFFICIAL_BYTES : MAX_ATTACHMENT_BYTES,
    log,
  );
  let poller: ReturnType<typeof createPoller> | undefined;
  let running: Promise<void> | undefined;

  const health = (): ChannelHealth => poller?.health() ?? { state: 'connecting' };
  const isConnected = () => health().state === 'connected';
  const sender = createSender({
    api,
    places,
    context,
    isConnected,
    onSent(chatId, messageId) {
      own.add(`${chatId} ${messageId}`);
      const [oldest] = own;
      if (own.size > OWN_KEPT && oldest !== undefined) own.delete(oldest);
    },
  });

  async function whoAmI(): Promise<Me> {
    try {
      return await api.call('getMe', {}, Me, { signal: end.signal });
    } catch (error) {
      throw new NanoError('NC_CHANNEL', healthBy(error).detail ?? errorText(error));
    }
  }

  return {
    channelType,
    capabilities: {
      threads: true,
      maxTextLength: MAX_TEXT,
      buttons: true,
      edits: true,
      reactions: true,
      afterDowntime: 'redelivers',
      maxFileBytes: MAX_FILE_BYTES,
      rate: { chat: { count: 20, perMs: 20_000 }, account: { count: 30, perMs: 1_000 } },
    },
    async start(host) {
      const me = await whoAmI();
      const { signal } = end;
      const isOwn = (chatId: number, messageId: number) => own.has(`${chatId} ${messageId}`);
      const decode = createDecoder({ channelType, me, places, isOwn });
      const receiver = createReceiver({ host, api, decode, downloads, places, log, signal, pauseMs: timing.pauseMs });
      const onConnected = () => host.available(channelType);
      poller = createPoller({ api, botId: me.id, context, timing, take: receiver.take, onConnected, signal });
      running = poller.run();
    },
    async stop() {
      end.abort();
      // What the host is taking is not confirmed, and comes again: it need not be waited for to the end.
      await Promise.race([running, sleep(GRACE_MS, undefined, { ref: false })]);
    },
    health,
    deliver: sender.deliver,
    typing(platformId, threadId, on) {
      if (!on || !isConnected()) return;
      const thread = threadId === null ? {} : { message_thread_id: Number(threadId) };
      const fields = { chat_id: places.target(platformId), action: 'typing', ...thread };
      api
        .call('sendChatAction', fields, z.unknown(), { signal: end.signal, timeoutMs: 5_000 })
        .catch((error: unknown) => log.debug('typing was not shown', { error: errorText(error) }));
    },
    async react(platformId, _thread, platformMessageId, emoji): Promise<DeliveryResult> {
      // Telegram knows a heart without the mark that colours it.
      const plain = emoji.replaceAll(EMOJI_MARKS, '');
      const fields = {
        chat_id: places.target(platformId),
        message_id: numberOf(platformMessageId),
        reaction: plain === '' ? [] : [{ type: 'emoji', emoji: plain }],
      };
      try {
        await api.call('setMessageReaction', fields, z.unknown());
        return { status: 'sent' };
      } catch (error) {
        const outcome = outcomeOf(error, isConnected());
        // Set twice, it is set.
        return outcome.status === 'unknown' ? { status: 'failed', retryable: true, error: outcome.error } : outcome;
      }
    },
    // A private chat has the number of its user. Whether they have pressed Start is seen by writing to them.
    openDm: async (handle) => (/^\d{1,15}$/.test(handle) ? handle : undefined),
    isGroup: (platformId) => platformId.startsWith('-'),
    isChatId: (platformId) => /^-?[1-9]\d{0,14}$/.test(platformId),
    listChats: async () => places.list(),
  };
}
