import { setTimeout as sleep } from 'node:timers/promises';
import { faultPoint } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Acceptance, ChannelHost, InboundEvent } from '../../../src/channels/adapter.ts';
import { errorText } from '../../../src/errors.ts';
import type { Logger } from '../../../src/log/index.ts';
import { Lost } from '../../http/lost.ts';
import type { Journal } from '../journal.ts';
import type { Places } from '../places.ts';
import { type Api, Refusal } from '../rest/api.ts';
import { createBackfill } from './backfill.ts';
import { decodeEdit, decodeMessage, decodeReaction, type Known, type Place } from './decode.ts';
import type { Downloads } from './downloads.ts';
import { Deleted, DeletedMany, InChannel, Interaction, Message, Reacted } from './events.ts';
import { createLanes } from './lanes.ts';
import { createMemory } from './memory.ts';
import { takePress } from './presses.ts';
import type { Me } from './words.ts';

/** Hands events to the host: those of one channel in order, channels side by side. */

export interface ReceiverParts {
  channelType: string;
  me: Me;
  host: ChannelHost;
  api: Api;
  places: Places;
  downloads: Downloads;
  journal: Journal;
  log: Logger;
  signal: AbortSignal;
  /** Of the first pause before a message is offered again that the host couldn't take. */
  pauseMs: number;
}

/** Five times, for half a minute: longer would keep what follows waiting. */
const OFFERS = 5;
const LONGEST_PAUSE_MS = 60_000;
/** Of these the next offer would end the same. */
const LASTING = new Set(['NC_MESSAGE_TOO_LARGE', 'NC_MESSAGE_EMPTY']);

export function createReceiver(parts: ReceiverParts) {
  const { channelType, me, host, api, places, downloads, journal, log, signal, pauseMs } = parts;
  const lanes = createLanes();
  const memory = createMemory();
  const backfill = createBackfill({ api, places, journal, takeMessage, log, signal, pauseMs });

  async function locate(channelId: string, guildId: string | undefined): Promise<{ place: Place; known: Known }> {
    const place = await placeOf(channelId, guildId);
    const guild = guildId ?? places.get(channelId)?.guild_id ?? undefined;
    const roles = await patiently(() => places.roles(guild, signal));
    return { place, known: { channelType, me, names: places, roles } };
  }

  function placeOf(channelId: string, guildId: string | undefined): Promise<Place> {
    return patiently(() => places.of(channelId, guildId, signal));
  }

  /** For as long as Discord has no answer. */
  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Lost || error instanceof Refusal)) throw error;
        log.warn('a channel can not be asked for', { tries, error: errorText(error) });
        await sleep(Math.min(pauseMs * 2 ** tries, LONGEST_PAUSE_MS), undefined, { signal });
      }
    }
  }

  /** Resolves when it is durable, or lost for a reason that was said. Rejects when it is being stopped. */
  async function takeMessage(message: Message): Promise<void> {
    const { id, channel_id: channel, guild_id: guild, author } = message;
    if (memory.has(id)) return;
    if (author.id !== me.id) {
      const { place, known } = await locate(channel, guild);
      if (!place.isGroup && !author.bot) places.noteDirect(channel, author);
      const decoded = decodeMessage(message, place, known);
      if ('nothing' in decoded) log.info('passed over', { reason: decoded.nothing, message: id });
      else if (memory.isLoop(channel, decoded.isBot)) log.warn('bots talk to each other', { channel, message: id });
      else await offer(decoded, channel);
    }
    memory.add(id, author.id === me.id || author.bot ? undefined : `discord:${author.id}`);
    faultPoint('discord.taken');
    journal.taken(channel, id);
  }

  async function offer(decoded: Exclude<ReturnType<typeof decodeMessage>, { nothing: string }>, channel: string) {
    const { event, files } = decoded;
    for (let offers = 1; ; offers++) {
      // Fetched anew each time: the host has put away what it didn't take.
      const { attachments, problems } = await downloads.fetch(files, signal);
      const text = [event.text, ...problems].filter((part) => part !== '').join('\n');
      const acceptance = await host.accept({ ...event, text, ...(attachments.length > 0 && { attachments }) });
      signal.throwIfAborted();
      if (acceptance.status !== 'refused') return;
      const { code } = acceptance;
      log.warn('a message was refused', { code, offers, platformMessageId: event.platformMessageId });
      if (LASTING.has(code) || offers > OFFERS) return tell(event, acceptance, channel);
      await sleep(pauseMs * 2 ** (offers - 1), undefined, { signal });
    }
  }

  async function tell(
    { isMention, platformMessageId: id }: InboundEvent,
    { sentence }: Acceptance & { status: 'refused' },
    channel: string,
  ) {
    if (!isMention) return;
    const body = {
      content: sentence,
      allowed_mentions: { parse: [] },
      message_reference: { message_id: id, fail_if_not_exists: false },
    };
    await api.call('POST', `/channels/${channel}/messages`, z.unknown(), { body, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn('discord did not take an answer', { error: errorText(error) });
    });
  }

  async function takeEdit(raw: unknown): Promise<void> {
    const { data: message } = Message.safeParse(raw);
    if (!message || memory.isOldEdit(message.id, message.edited_timestamp ?? '')) return;
    const { place, known } = await locate(message.channel_id, message.guild_id);
    const change = decodeEdit(message, place, known);
    if (change) await host.changed?.(change);
  }

  /** Discord doesn't say whose it was. */
  async function takeDeletion({ id, channel_id, guild_id }: z.infer<typeof Deleted>): Promise<void> {
    const senderId = memory.senderOf(id) ?? 'discord:0';
    const { place } = await locate(channel_id, guild_id);
    const { platformId, threadId } = place;
    await host.changed?.({ channelType, platformId, threadId, platformMessageId: id, senderId, text: null });
  }

  async function takeReaction(reacted: Reacted, on: boolean): Promise<void> {
    const { place, known } = await locate(reacted.channel_id, reacted.guild_id);
    const reaction = decodeReaction(reacted, on, place, known);
    if (reaction) await host.reacted?.(reaction);
  }

  function carryOut(type: string, data: unknown): Promise<void> {
    switch (type) {
      case 'MESSAGE_CREATE':
        return takeMessage(Message.parse(data));
      case 'MESSAGE_UPDATE':
        return takeEdit(data);
      case 'MESSAGE_DELETE':
        return takeDeletion(Deleted.parse(data));
      case 'MESSAGE_DELETE_BULK': {
        const { ids, ...where } = DeletedMany.parse(data);
        return ids.reduce((before, id) => before.then(() => takeDeletion({ ...where, id })), Promise.resolve());
      }
      case 'MESSAGE_REACTION_ADD':
      case 'MESSAGE_REACTION_REMOVE':
        return takeReaction(Reacted.parse(data), type === 'MESSAGE_REACTION_ADD');
      default:
        return Promise.resolve();
    }
  }

  /** Rejects when it is being stopped; what makes no sense is passed over. */
  async function take(type: string, data: unknown): Promise<void> {
    try {
      if (type === 'INTERACTION_CREATE') {
        return await takePress(Interaction.parse(data), { channelType, host, api, placeOf, log, signal });
      }
      const { data: where } = InChannel.safeParse(data);
      if (!where) return;
      await lanes.run(where.channel_id, async () => {
        // What was written before this comes first.
        await backfill.of(where.channel_id);
        signal.throwIfAborted();
        await carryOut(type, data);
      });
    } catch (error) {
      signal.throwIfAborted();
      // Asked for for ever it would hide everything behind it.
      log.error('an event was not taken', { type, error });
    }
  }

  return {
    take,
    /** Discord is there; `isNew`: it brings nothing of what came before. */
    connected(isNew: boolean): void {
      if (journal.isBehind() && (isNew || !backfill.isRunning())) backfill.begin();
    },
  };
}
