import { z } from 'zod';
import { Channel } from './incoming/events.ts';
import type { Places } from './places.ts';
import type { Api } from './rest/api.ts';

/** Asks Discord for the servers that the bot is in, and what channels and running threads they have. */

const Guilds = z.array(z.object({ id: z.string(), name: z.string() }));
const Active = z.object({ threads: z.array(Channel) });

/** For a person's own bot; more are found when somebody writes there. */
const MOST_GUILDS = 50;

/** With the places noted. Throws what the API throws. */
export async function listChannels(api: Api, places: Places, signal: AbortSignal): Promise<Channel[]> {
  const guilds = await api.call('GET', '/users/@me/guilds', Guilds, { signal });
  const found: Channel[] = [];
  for (const { id, name } of guilds.slice(0, MOST_GUILDS)) {
    const channels = await api.call('GET', `/guilds/${id}/channels`, z.array(Channel), { signal });
    const { threads } = await api.call('GET', `/guilds/${id}/threads/active`, Active, { signal });
    places.noteGuild({ id, name, channels, threads });
    found.push(...[...channels, ...threads].map((channel) => ({ ...channel, guild_id: id })));
  }
  return found;
}

/** Where people write, or make posts. */
export const CHATS = new Set([0, 2, 5, 13, 15, 16]);
