import { z } from 'zod';
import type { ChannelContext, ChannelPlugin } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { createDiscord, Me, openApi } from './adapter.ts';
import { healthBy } from './gateway/closes.ts';
import { MANIFEST } from './manifest.ts';

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: (context) => createDiscord(context),
  test,
};

const App = z.object({ id: z.string(), flags: z.number().int().optional() });
const Guilds = z.array(z.object({ name: z.string() }));

/** It is allowed to read: for everybody, or for a bot in few servers. */
const MESSAGE_CONTENT = (1 << 18) | (1 << 19);
/** View Channels, Send Messages, Send Messages in Threads, Attach Files, Read Message History, Add Reactions. */
const PERMISSIONS = [6n, 10n, 11n, 15n, 16n, 38n].reduce((sum, bit) => sum | (1n << bit), 0n);

async function test(context: ChannelContext): Promise<{ ok: boolean; sentence: string; meet?: string }> {
  try {
    const { api } = openApi(context);
    const bot = await api.call('GET', '/users/@me', Me);
    const app = await api.call('GET', '/applications/@me', App).catch(() => undefined);
    if (app?.flags !== undefined && (app.flags & MESSAGE_CONTENT) === 0) {
      const sentence = `The token works, as ${bot.username}, but the bot may not read. Switch on "Message Content Intent" on the page "Bot" of the developer portal, and save.`;
      return { ok: false, sentence };
    }
    const guilds = await api.call('GET', '/users/@me/guilds', Guilds).catch(() => undefined);
    const invite = `https://discord.com/oauth2/authorize?client_id=${app?.id ?? bot.id}&scope=bot&permissions=${PERMISSIONS}`;
    const meet = `Open https://discord.com/users/${bot.id}, press Message, and send it <code>.`;
    if (guilds?.length === 0) {
      const sentence = `It works, as ${bot.username}, but it is in no server yet. Invite it to one of yours: ${invite}`;
      return { ok: true, sentence, meet: `Invite it first. ${meet}` };
    }
    const names = (guilds ?? []).slice(0, 3).map(({ name }) => name);
    const where = names.length === 0 ? '' : `, in ${names.join(', ')}`;
    return { ok: true, sentence: `It works, as ${bot.username}${where}. To invite it elsewhere: ${invite}`, meet };
  } catch (error) {
    return { ok: false, sentence: healthBy(error).detail ?? errorText(error) };
  }
}
