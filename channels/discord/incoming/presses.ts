import { z } from 'zod';
import type { ChannelHost } from '../../../src/channels/adapter.ts';
import { errorText } from '../../../src/errors.ts';
import type { Logger } from '../../../src/log/index.ts';
import type { Api } from '../rest/api.ts';
import { decodePress, type Place } from './decode.ts';
import type { Interaction } from './events.ts';

/** Somebody pressed a button: Discord wants to hear something within three seconds, and an answer within fifteen minutes. */

export interface PressesParts {
  channelType: string;
  host: ChannelHost;
  api: Api;
  placeOf(channelId: string, guildId: string | undefined): Promise<Place>;
  log: Logger;
  signal: AbortSignal;
}

const COMPONENT = 3;
/** What follows is shown to the one who pressed alone. */
const DEFERRED = { type: 5, data: { flags: 64 } };
const MAX_ANSWER = 2_000;

/** Rejects only when it is being stopped. */
export async function takePress(interaction: Interaction, parts: PressesParts): Promise<void> {
  const { api, host, placeOf, log, channelType, signal } = parts;
  const { id, token, application_id: app, channel_id: channel, guild_id: guild, type } = interaction;
  if (type !== COMPONENT || channel === undefined) return;
  const acknowledged = quietly('POST', `/interactions/${id}/${token}/callback`, DEFERRED);
  const place = await placeOf(channel, guild);
  const press = decodePress(interaction, place, channelType);
  const answer = press ? await host.press(press) : 'This button is too old.';
  // Replayed after a crash it has no one left who waits: what was pressed counts all the same.
  if (!(await acknowledged)) return;
  const content = answer.trim() === '' ? 'Done.' : answer.slice(0, MAX_ANSWER).toWellFormed();
  await quietly('PATCH', `/webhooks/${app}/${token}/messages/@original`, { content, allowed_mentions: { parse: [] } });

  async function quietly(method: string, path: string, body: object): Promise<boolean> {
    try {
      await api.call(method, path, z.unknown(), { body: { ...body }, signal });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.warn('discord did not take an answer to a button', { error: errorText(error) });
      return false;
    }
  }
}
