import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Acceptance, ChannelHost, InboundEvent } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { messageOf, type Parcel, parcelsOf } from './albums.ts';
import type { Api } from './api.ts';
import type { Decoder, Intent } from './decode.ts';
import type { Downloads } from './downloads.ts';
import type { Places } from './places.ts';
import type { Message, Update } from './updates.ts';

/** Hands updates to the host: those of one chat in order, chats side by side. */

export interface ReceiverParts {
  host: ChannelHost;
  api: Api;
  decode: Decoder;
  downloads: Downloads;
  places: Places;
  log: Logger;
  signal: AbortSignal;
  /** Of the first pause before a message is offered again that the host couldn't take. */
  pauseMs: number;
}

/** Five times, for half a minute: longer would keep every other chat waiting. */
const OFFERS = 5;
/** Of these the next offer would end the same. */
const LASTING = new Set(['NC_MESSAGE_TOO_LARGE', 'NC_MESSAGE_EMPTY']);
const MAX_ANSWER = 200;

export function createReceiver(parts: ReceiverParts) {
  const { host, api, decode, downloads, places, log, signal, pauseMs } = parts;

  /** Resolves when all of them are durable, or lost for a reason that was said. Rejects when it is being stopped. */
  async function take(updates: readonly Update[]): Promise<void> {
    const lanes = new Map<number | undefined, Parcel[]>();
    // A group's new id counts for what comes right behind it.
    for (const update of updates) if (messageOf(update)) note(decode.update(update));
    for (const parcel of parcelsOf(updates)) lanes.set(parcel.chatId, [...(lanes.get(parcel.chatId) ?? []), parcel]);
    await Promise.all([...lanes.values()].map(takeLane));
    signal.throwIfAborted();
  }

  function note(intent: Intent): void {
    if (intent.kind === 'moved') places.moved(intent.from, intent.to);
  }

  async function takeLane(parcels: readonly Parcel[]): Promise<void> {
    for (const { updates } of parcels) {
      signal.throwIfAborted();
      const [first] = updates;
      try {
        const [message, ...rest] = updates.flatMap((update) => messageOf(update) ?? []);
        await carryOut(message ? decode.message(message, rest) : decode.update(first), message);
      } catch (error) {
        signal.throwIfAborted();
        log.error('an update was not taken', { update: first.update_id, error });
      }
    }
  }

  async function carryOut(intent: Intent, message: Message | undefined): Promise<void> {
    switch (intent.kind) {
      case 'message':
        if (message) seen(message);
        return offer(intent, message);
      case 'changed':
        return host.changed?.(intent.change);
      case 'reacted':
        for (const reaction of intent.reactions) await host.reacted?.(reaction);
        return;
      case 'press':
        return answer(intent.queryId, intent.press ? await host.press(intent.press) : 'This button is too old.');
      case 'membership':
        places.note(intent.chat, intent.membership.joined);
        return host.membership?.(intent.membership);
      case 'moved':
        return log.info('a group has a new id', { from: intent.from, to: intent.to });
      case 'nothing':
        return log.info('passed over', { reason: intent.reason, message: message?.message_id });
    }
  }

  /** For lists alone: one that can't be written down keeps no message from being heard. */
  function seen({ chat }: Message): void {
    try {
      places.note(chat, true);
    } catch (error) {
      log.warn('a chat was not noted', { chat: chat.id, error });
    }
  }

  async function offer({ event, media }: Intent & { kind: 'message' }, message: Message | undefined): Promise<void> {
    for (let offers = 1; ; offers++) {
      // Fetched anew each time: the host has put away what it didn't take.
      const { attachments, problems } = await downloads.fetch(media, signal);
      const text = [event.text, ...problems].filter((part) => part !== '').join('\n');
      const acceptance = await host.accept({ ...event, text, ...(attachments.length > 0 && { attachments }) });
      if (acceptance.status !== 'refused') return;
      const { code } = acceptance;
      log.warn('a message was refused', { code, offers, platformMessageId: event.platformMessageId });
      if (LASTING.has(code) || offers > OFFERS) return tell(event, acceptance, message);
      await sleep(pauseMs * 2 ** (offers - 1), undefined, { signal });
    }
  }

  async function tell(event: InboundEvent, { sentence }: Acceptance & { status: 'refused' }, message?: Message) {
    if (!event.isMention || !message) return;
    const to = {
      chat_id: message.chat.id,
      ...(event.threadId !== null && { message_thread_id: Number(event.threadId) }),
    };
    const reply = { message_id: message.message_id, allow_sending_without_reply: true };
    await quietly('sendMessage', { ...to, text: sentence, reply_parameters: reply });
  }

  function answer(queryId: string, text: string): Promise<void> {
    return quietly('answerCallbackQuery', {
      callback_query_id: queryId,
      text: text.slice(0, MAX_ANSWER).toWellFormed(),
    });
  }

  /** What only tells somebody: the update is done either way. */
  async function quietly(method: string, fields: Record<string, unknown>): Promise<void> {
    await api.call(method, fields, z.unknown(), { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn('telegram did not take an answer', { method, error: errorText(error) });
    });
  }

  return { take };
}
