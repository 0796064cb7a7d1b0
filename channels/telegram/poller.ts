import { setTimeout as sleep } from 'node:timers/promises';
import { faultPoint } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { ChannelHealth } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { Lost } from '../http/lost.ts';
import { beforeCut, hasAlbum } from './albums.ts';
import { type Api, Refusal } from './api.ts';
import { ALLOWED_UPDATES, Numbered, Update } from './updates.ts';

/**
 * Asks Telegram for what is new. Asking from a number on confirms everything before it, so that number is remembered only
 * after the host has taken what came before, and is never ahead of the disk.
 */

export interface Timing {
  /** How long Telegram holds a question. */
  pollMs: number;
  /** Nothing was heard for this long, not even that there is nothing: deaf. */
  deafMs: number;
  /** Of the first pause after a failure, doubled each time up to the longest. */
  pauseMs: number;
  longestPauseMs: number;
  /** For the other parts of an album. */
  albumMs: number;
}

export const TIMING: Timing = { pollMs: 50_000, deafMs: 120_000, pauseMs: 1_000, longestPauseMs: 30_000, albumMs: 700 };

const LIMIT = 100;
/** Beyond what Telegram was asked to hold the question. */
const SLACK_MS = 15_000;
/** After a week without any, Telegram numbers updates from anywhere: an old number could hide them. */
const STALE_MS = 6 * 24 * 3600_000;
/** A poll that a killed host left open ends by itself; what goes on is another program. */
const CONFLICTS = 3;

export interface PollerParts {
  api: Api;
  botId: number;
  context: Pick<ChannelContext, 'recall' | 'remember' | 'log'>;
  timing: Timing;
  /** Resolves when the host has taken all of them; rejects when it is being stopped. */
  take(updates: readonly Update[]): Promise<void>;
  /** Telegram answers, for the first time or again. */
  onConnected(): void;
  signal: AbortSignal;
}

export function createPoller({ api, botId, context, timing, take, onConnected, signal }: PollerParts) {
  const key = `offset:${botId}`;
  const { log } = context;
  let next = readOffset(context.recall(key));
  let health: ChannelHealth = { state: 'connecting' };
  let heardAt = performance.now();
  let failures = 0;
  let conflicts = 0;

  async function ask(waitMs: number): Promise<unknown[]> {
    const offset = next && Date.now() - next.at < STALE_MS ? { offset: next.offset } : {};
    const fields = { ...offset, limit: LIMIT, timeout: Math.floor(waitMs / 1000), allowed_updates: ALLOWED_UPDATES };
    return await api.call('getUpdates', fields, z.array(z.unknown()), { timeoutMs: waitMs + SLACK_MS, signal });
  }

  function heard(): void {
    const isBack = health.state !== 'connected';
    health = { state: 'connected' };
    heardAt = performance.now();
    failures = 0;
    conflicts = 0;
    if (isBack) onConnected();
  }

  async function once(): Promise<void> {
    // After a failure, and at first, at once: whether it works again is news.
    const waitMs = health.state === 'connected' ? timing.pollMs : 0;
    const begun = performance.now();
    const raw = await whole(await ask(waitMs));
    heard();
    if (raw.length > 0) {
      await take(raw.flatMap(readable));
      faultPoint('telegram.taken');
      remember(raw);
    } else if (waitMs >= 2_000 && performance.now() - begun < 1_000) {
      // One that doesn't hold the question would be asked without end.
      await sleep(1_000, undefined, { signal });
    }
  }

  /** Asked again from the same number, which confirms nothing, until no more parts of an album come. */
  async function whole(first: unknown[]): Promise<unknown[]> {
    let raw = first;
    while (raw.length < LIMIT && hasAlbum(raw.flatMap((one) => parse(one) ?? []))) {
      await sleep(timing.albumMs, undefined, { signal });
      const again = await ask(0);
      if (again.length <= raw.length) break;
      raw = again;
    }
    return raw.length < LIMIT ? raw : raw.slice(0, beforeCut(raw.map(parse)));
  }

  function readable(raw: unknown): Update[] {
    const update = Update.safeParse(raw);
    if (update.success) return [update.data];
    const number = Numbered.safeParse(raw);
    // Asked for for ever it would hide everything behind it.
    log.error('an update can not be read', { update: number.data?.update_id, error: update.error });
    return [];
  }

  function remember(raw: readonly unknown[]): void {
    const numbers = raw.flatMap((one) => Numbered.safeParse(one).data?.update_id ?? []);
    if (numbers.length === 0) return;
    const offset = Math.max(...numbers) + 1;
    const at = Date.now();
    context.remember(key, `${offset} ${at}`);
    next = { offset, at };
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (signal.aborted) return;
        await sleep(failed(error), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Returns how long to wait. */
  function failed(error: unknown): number {
    failures += 1;
    conflicts = error instanceof Refusal && error.code === 409 ? conflicts + 1 : 0;
    health = healthBy(error, conflicts);
    log.warn('telegram can not be asked', { failures, state: health.state, error: errorText(error) });
    const pause = Math.min(timing.pauseMs * 2 ** Math.min(failures - 1, 20), timing.longestPauseMs);
    const own = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(pause * (0.75 + Math.random() / 2), own);
  }

  return {
    run,
    health(): ChannelHealth {
      if (health.state !== 'connected' || performance.now() - heardAt < timing.deafMs) return health;
      return { state: 'connecting', detail: 'Telegram has not answered for two minutes.' };
    },
  };
}

export function healthBy(error: unknown, conflicts = 0): ChannelHealth {
  if (error instanceof Lost) return { state: 'connecting', detail: `Telegram can't be reached: ${error.message}` };
  if (!(error instanceof Refusal)) return { state: 'connecting', detail: errorText(error) };
  if (error.code === 401 || error.code === 404) return { state: 'failed', detail: TOKEN_REFUSED };
  if (error.code !== 409) return { state: 'connecting', detail: `Telegram refuses for now: ${error.message}` };
  if (/webhook/i.test(error.message)) return { state: 'failed', detail: WEBHOOK };
  return conflicts < CONFLICTS ? { state: 'connecting', detail: CONFLICT } : { state: 'failed', detail: CONFLICT };
}

const TOKEN_REFUSED =
  'Telegram refuses the token. Ask @BotFather for it with /token, and give this account the new one by `ncl channels add`.';
const WEBHOOK =
  "Another program has set a webhook for this bot, which takes its messages. Switch that program off, or call the Bot API's deleteWebhook.";
const CONFLICT =
  "Another program reads this bot's messages with the same token, so some are lost to it. Stop it, or make a new token with /revoke at @BotFather.";

function parse(raw: unknown): Update | undefined {
  return Update.safeParse(raw).data;
}

/** Nothing when it is not as it was written: Telegram then gives all that is unconfirmed, and the host knows what it has. */
function readOffset(text: string | undefined): { offset: number; at: number } | undefined {
  const [, offset, at] = /^(\d{1,15}) (\d{1,15})$/.exec(text ?? '') ?? [];
  return offset === undefined ? undefined : { offset: Number(offset), at: Number(at) };
}
