import { z } from 'zod';
import type { ListedChat } from '../../src/channels/adapter.ts';
import type { Place } from './incoming/decode.ts';
import { Channel, type Guild, type User } from './incoming/events.ts';
import { type Names, nameOf, plainName } from './incoming/words.ts';
import type { Keep } from './keep.ts';
import { type Api, Refusal } from './rest/api.ts';

/**
 * Which channels, threads and direct chats there are. A thread is a channel of its own to Discord; to the host it is a thread
 * of the channel that it hangs on. What isn't known is asked for: after a RESUME Discord tells nothing of it again.
 */
export interface Places extends Names {
  /** Throws what the API throws, where it can't be asked. */
  of(channelId: string, guildId: string | undefined, signal: AbortSignal): Promise<Place>;
  get(channelId: string): Channel | undefined;
  note(channel: Channel, guildId?: string): void;
  noteGuild(guild: Guild): void;
  noteRoles(guildId: string, userId: string, roles: readonly string[]): void;
  forget(channelId: string): void;
  ofGuild(guildId: string): readonly Channel[];
  /** What people call it. */
  titleOf(channelId: string): string | undefined;
  /** The bot's own in that server. The same errors as `of`. */
  roles(guildId: string | undefined, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** A direct chat, and who is in it. */
  noteDirect(channelId: string, user: User): void;
  directChats(): readonly ListedChat[];
  guildName(guildId: string): string | undefined;
}

type Direct = z.infer<typeof Direct>;
const Direct = z.object({ platformId: z.string(), userId: z.string(), name: z.string() });
const Member = z.object({ roles: z.array(z.string()) });

const DIRECT = 1;
const THREADS = new Set([10, 11, 12]);
const MOST_DIRECT = 200;
/** In memory alone: the rest is asked for again. */
const MOST_CHANNELS = 5_000;
const NONE: ReadonlySet<string> = new Set();

export function createPlaces(api: Api, botId: string, keep: Keep): Places {
  const channels = new Map<string, Channel>();
  const guildNames = new Map<string, string>();
  const roleNames = new Map<string, string>();
  const ownRoles = new Map<string, ReadonlySet<string>>();
  let direct = read(keep.recall('direct'));

  function note(channel: Channel, guildId?: string): void {
    if (channels.size >= MOST_CHANNELS) channels.clear();
    channels.set(channel.id, { ...channel, guild_id: channel.guild_id ?? guildId ?? null });
  }

  /** Undefined where the bot may not see it, or it is gone. */
  async function ask(id: string, signal: AbortSignal): Promise<Channel | undefined> {
    const known = channels.get(id);
    if (known) return known;
    try {
      note(await api.call('GET', `/channels/${id}`, Channel, { signal }));
      return channels.get(id);
    } catch (error) {
      if (error instanceof Refusal && (error.status === 403 || error.status === 404)) return undefined;
      throw error;
    }
  }

  function titleOf(channel: Channel | undefined, guildId: string | undefined): string | undefined {
    const guild = guildNames.get(guildId ?? channel?.guild_id ?? '');
    const name = channel?.name ? `#${plainName(channel.name, channel.id)}` : undefined;
    return name && guild ? `${name} (${guild})` : name;
  }

  return {
    async of(id, guildId, signal) {
      const isDirect = direct.some(({ platformId }) => platformId === id);
      if (isDirect) return { platformId: id, threadId: null, isGroup: false, chatName: undefined };
      // A message of a server says so; one that history brings doesn't.
      const channel = await ask(id, signal);
      const isGroup = guildId !== undefined || (channel !== undefined && channel.type !== DIRECT);
      if (channel && THREADS.has(channel.type) && channel.parent_id) {
        const parent = await ask(channel.parent_id, signal);
        const chatName = titleOf(parent, guildId) ?? titleOf(channel, guildId);
        return { platformId: channel.parent_id, threadId: id, isGroup, chatName };
      }
      return { platformId: id, threadId: null, isGroup, chatName: titleOf(channel, guildId) };
    },
    get: (id) => channels.get(id),
    note,
    noteGuild(guild) {
      if (guild.name !== undefined) guildNames.set(guild.id, plainName(guild.name, guild.id));
      for (const { id, name } of guild.roles ?? []) roleNames.set(id, name);
      for (const channel of [...(guild.channels ?? []), ...(guild.threads ?? [])]) note(channel, guild.id);
      const own = guild.members?.find(({ user }) => user.id === botId);
      if (own) ownRoles.set(guild.id, new Set(own.roles));
    },
    noteRoles(guildId, userId, roles) {
      if (userId === botId) ownRoles.set(guildId, new Set(roles));
    },
    forget: (id) => void channels.delete(id),
    ofGuild: (guildId) => [...channels.values()].filter(({ guild_id }) => guild_id === guildId),
    titleOf: (id) => titleOf(channels.get(id), undefined),
    async roles(guildId, signal) {
      if (guildId === undefined) return NONE;
      const known = ownRoles.get(guildId);
      if (known) return known;
      try {
        const { roles } = await api.call('GET', `/guilds/${guildId}/members/${botId}`, Member, { signal });
        ownRoles.set(guildId, new Set(roles));
      } catch (error) {
        if (!(error instanceof Refusal && (error.status === 403 || error.status === 404))) throw error;
        ownRoles.set(guildId, NONE);
      }
      return ownRoles.get(guildId) ?? NONE;
    },
    noteDirect(platformId, user) {
      const one = { platformId, userId: user.id, name: nameOf(user) };
      const old = direct.find((other) => other.platformId === platformId);
      if (old?.name === one.name) return;
      direct = [one, ...direct.filter((other) => other !== old)].slice(0, MOST_DIRECT);
      keep.remember('direct', JSON.stringify(direct));
    },
    directChats: () =>
      direct.map(({ platformId, userId, name }) => ({
        platformId,
        name,
        isGroup: false,
        speaker: { id: `discord:${userId}`, name },
      })),
    guildName: (id) => guildNames.get(id),
    channel: (id) => channels.get(id)?.name ?? undefined,
    role: (id) => roleNames.get(id),
  };
}

function read(text: string | undefined): readonly Direct[] {
  try {
    return z.array(Direct).parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}
