import type { ChannelHost } from '../../../src/channels/adapter.ts';
import type { Logger } from '../../../src/log/index.ts';
import type { Places } from '../places.ts';
import { Channel, Guild, MemberUpdate, Threads } from './events.ts';

/** Servers, channels and threads that come, change and go. */

export interface SurroundingsParts {
  channelType: string;
  host: ChannelHost;
  places: Places;
  log: Logger;
}

const THREADS = new Set([10, 11, 12]);
const DIRECT = 1;
const TYPES = new Set([
  ...['GUILD_CREATE', 'GUILD_UPDATE', 'GUILD_DELETE', 'GUILD_MEMBER_UPDATE'],
  ...['CHANNEL_CREATE', 'CHANNEL_UPDATE', 'CHANNEL_DELETE'],
  ...['THREAD_CREATE', 'THREAD_UPDATE', 'THREAD_DELETE', 'THREAD_LIST_SYNC'],
]);

export function createSurroundings({ channelType, host, places, log }: SurroundingsParts) {
  /** A chat that people know by another name, or that is gone. */
  async function told(channel: Channel, joined: boolean): Promise<void> {
    if (THREADS.has(channel.type) || channel.type === DIRECT) return;
    const chatName = places.titleOf(channel.id);
    const where = { channelType, platformId: channel.id, threadId: null };
    await host.membership?.({ ...where, joined, isGroup: true, ...(chatName !== undefined && { chatName }) });
  }

  /** Those that are known of a server that the bot has left. */
  async function left(guildId: string): Promise<void> {
    for (const channel of places.ofGuild(guildId)) {
      await told(channel, false);
      places.forget(channel.id);
    }
  }

  async function changed(channel: Channel): Promise<void> {
    const before = places.get(channel.id)?.name;
    places.note(channel);
    if (before !== undefined && before !== channel.name) await told(channel, true);
  }

  async function gone(channel: Channel): Promise<void> {
    await told(channel, false);
    places.forget(channel.id);
  }

  async function carryOut(type: string, data: unknown): Promise<void> {
    switch (type) {
      case 'GUILD_CREATE':
      case 'GUILD_UPDATE':
        return places.noteGuild(Guild.parse(data));
      case 'GUILD_DELETE': {
        const { id, unavailable } = Guild.parse(data);
        // Else it has only a bad day.
        return unavailable ? undefined : left(id);
      }
      case 'CHANNEL_CREATE':
      case 'THREAD_CREATE':
        return places.note(Channel.parse(data));
      case 'CHANNEL_UPDATE':
      case 'THREAD_UPDATE':
        return changed(Channel.parse(data));
      case 'CHANNEL_DELETE':
      case 'THREAD_DELETE':
        return gone(Channel.parse(data));
      case 'THREAD_LIST_SYNC': {
        const { guild_id, threads } = Threads.parse(data);
        for (const thread of threads) places.note(thread, guild_id);
        return;
      }
      case 'GUILD_MEMBER_UPDATE': {
        const { guild_id, user, roles } = MemberUpdate.parse(data);
        return places.noteRoles(guild_id, user.id, roles);
      }
    }
  }

  return {
    takes: (type: string) => TYPES.has(type),
    /** Rejects never: what can't be read is passed over. */
    async take(type: string, data: unknown): Promise<void> {
      await carryOut(type, data).catch((error: unknown) => log.error('an event was not taken', { type, error }));
    },
  };
}
