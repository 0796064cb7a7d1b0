import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ChannelAdapter, ChannelHealth, ChannelHost } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import { type Api, Refusal } from './api.ts';
import { createBackfill } from './backfill.ts';
import { createChats } from './chats.ts';
import { type Codec, createCodec } from './codec.ts';
import { type Intent, intentOf, isDm, type Own } from './events.ts';
import { healthBy, isAuth } from './outcome.ts';
import { createPrivateThreads } from './private-threads.ts';
import { createReceiver, RECEIVE_TIMING, type ReceiveTiming } from './receive.ts';
import { createSender, MAX_FILE_BYTES, MAX_TEXT } from './send.ts';
import { openSettings, type Settings } from './settings.ts';
import { createSocket, TIMING as SOCKET_TIMING, type Timing as SocketTiming } from './socket.ts';
import { createSpool } from './spool.ts';
import { createWebhook, MAX_BODY_BYTES } from './webhook.ts';
import { createWorking } from './working.ts';

export interface Timing extends SocketTiming, ReceiveTiming {
  /** Between tries of a token that was refused. */
  tokenMs: number;
}

export const TIMING: Timing = { ...SOCKET_TIMING, ...RECEIVE_TIMING, tokenMs: 60_000 };

export const Me = z.object({
  user_id: z.string(),
  user: z.string().optional(),
  team: z.string().optional(),
});

const GRACE_MS = 1_000;

export function createSlack(context: ChannelContext, timing: Timing = TIMING): ChannelAdapter {
  const { instance: channelType, folder, log, web } = context;
  const settings = openSettings(context);
  const end = new AbortController();
  const { signal } = end;
  let host: ChannelHost | undefined;
  let connection: (() => ChannelHealth) | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let leave: (() => Promise<void>) | undefined;
  let botUserId: string | undefined;
  let stopping: Promise<void> | undefined;
  let closing: (() => Promise<void>) | undefined;
  let problem: ChannelHealth | undefined;
  let recheck: NodeJS.Timeout | undefined;
  let aliveAt = () => Date.now();
  let onSpoke: (channel: string, thread: string) => void = () => {};
  let onHeard: (channel: string, ts: string, thread: string | undefined) => void = () => {};
  const threads = createPrivateThreads();
  const api = watched(settings.bot);
  const chats = createChats(api, log, signal);
  const working = createWorking(api, log);
  const sender = createSender({
    api,
    log,
    isConnected: () => health().state === 'connected',
    threadOf: ({ inReplyTo }) => threads.of(inReplyTo),
    botUserId: () => botUserId,
  });

  function health(): ChannelHealth {
    return problem ?? connection?.() ?? { state: 'connecting' };
  }

  function tokenRefused(error: unknown): void {
    if (signal.aborted) return;
    problem = healthBy(error, 'bot');
    recheck ??= setInterval(
      () => void api.call('auth.test', {}, Me, { signal }).catch(() => {}),
      timing.tokenMs,
    ).unref();
  }

  function tokenWorks(): void {
    if (!problem) return;
    problem = undefined;
    clearInterval(recheck);
    recheck = undefined;
    host?.available(channelType);
  }

  async function whoAmI() {
    try {
      return await api.call('auth.test', {}, Me, { signal });
    } catch (error) {
      throw new NanoError('NC_CHANNEL', healthBy(error, 'bot').detail ?? errorText(error));
    }
  }

  async function start(to: ChannelHost): Promise<void> {
    const me = await whoAmI();
    host = to;
    botUserId = me.user_id;
    const own: Own = { channelType, userId: me.user_id };
    const codec = createCodec({ context, settings, api, me, chats, files: join(folder, 'downloads'), signal });
    await codec.start(threads.noting(to));
    const receiver = createReceiver({
      spool: createSpool(join(folder, 'events'), log),
      intentOf: (payload) => intentOf(payload, own),
      carryOut: (payload, intent) => carryOut(payload, intent, to, codec),
      log,
      timing,
      signal,
    });
    const backfill = createBackfill({ context, chats, fill: receiver.fill, aliveAt: () => aliveAt(), signal });
    onHeard = backfill.heard;
    onSpoke = backfill.spoke;
    closing = async () => {
      backfill.pause();
      receiver.close();
      await Promise.race([receiver.idle(), sleep(GRACE_MS, undefined, { ref: false })]);
      end.abort();
      await codec.stop();
    };
    await receiver.start();
    const onConnected = () => {
      void backfill.start();
      to.available(channelType);
    };
    await listen(settings, receiver.take, onConnected, backfill.pause);
  }

  async function listen(
    { app, signingSecret }: Settings,
    take: (payload: unknown) => Promise<void>,
    onConnected: () => void,
    onDeaf: () => void,
  ): Promise<void> {
    if (app) {
      const socket = createSocket({ api: app, timing, take, onConnected, onDeaf, log, signal });
      connection = socket.health;
      aliveAt = socket.aliveAt;
      running = socket.run();
      return;
    }
    if (!web || signingSecret === undefined) throw new NanoError('NC_CHANNEL', 'This host takes no webhooks.');
    const handler = createWebhook(signingSecret, take, log);
    // What was missed stands in line before what comes now.
    onConnected();
    leave = await web.serve(handler, { maxBodyBytes: MAX_BODY_BYTES });
    connection = () => ({ state: 'connected' });
    host?.available(channelType);
  }

  async function carryOut(payload: unknown, intent: Intent, to: ChannelHost, codec: Codec): Promise<void> {
    switch (intent.kind) {
      case 'message': {
        const { lane, ts, threadTs } = intent;
        const threadId = isDm(lane) ? null : (threadTs ?? ts);
        working.heard(lane, threadId, ts, threadTs);
        if (isDm(lane) && threadTs !== undefined) threads.note(lane, ts, threadTs);
        await codec.receive(payload, { channel: lane, ts });
        return onHeard(lane, ts, threadTs);
      }
      case 'changed':
      case 'press':
        return codec.receive(payload);
      case 'reacted':
        return to.reacted?.(intent.reaction);
      case 'membership': {
        const chatName = await chats.nameOf(intent.lane);
        return to.membership?.({ ...intent.membership, ...(chatName !== undefined && { chatName }) });
      }
      case 'revoked':
        return tokenRefused(new Refusal(intent.code));
      case 'nothing':
        return;
    }
  }

  async function stop(): Promise<void> {
    clearInterval(recheck);
    await leave?.();
    await Promise.race([working.stop(), sleep(GRACE_MS, undefined, { ref: false })]);
    await closing?.();
    end.abort();
    await running;
  }

  /** Learns from every call whether the token still works. */
  function watched(to: Api): Api {
    return {
      ...to,
      async call(...args) {
        try {
          const answer = await to.call(...args);
          tokenWorks();
          return answer;
        } catch (error) {
          if (isAuth(error)) tokenRefused(error);
          throw error;
        }
      },
    };
  }

  return {
    channelType,
    capabilities: {
      threads: true,
      maxTextLength: MAX_TEXT,
      buttons: true,
      edits: true,
      reactions: true,
      afterDowntime: 'backfill',
      maxFileBytes: MAX_FILE_BYTES,
      rate: { chat: { count: 1, perMs: 1_000 } },
    },
    start,
    stop() {
      stopping ??= stop();
      return stopping;
    },
    health,
    async deliver(message) {
      const result = await sender.deliver(message);
      if (result.status === 'sent' && message.threadId !== null) onSpoke(message.platformId, message.threadId);
      return result;
    },
    typing: working.typing,
    react: (platformId, _thread, platformMessageId, emoji) => sender.react(platformId, platformMessageId, emoji),
    isGroup: (platformId) => !platformId.startsWith('D'),
    isChatId: (platformId) => /^[CDG][A-Z0-9]{1,20}$/.test(platformId),
    listChats: chats.list,
    openDm: chats.openDm,
  };
}
