import { z } from 'zod';
import type { ChannelContext, ChannelPlugin } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { createTelegram, openApi } from './adapter.ts';
import { MANIFEST } from './manifest.ts';
import { healthBy } from './poller.ts';
import { Me } from './updates.ts';

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: (context) => createTelegram(context),
  test,
};

const Bot = Me.extend({ can_read_all_group_messages: z.boolean().optional() });
const Webhook = z.object({ url: z.string() });

async function test(context: ChannelContext): Promise<{ ok: boolean; sentence: string; meet?: string }> {
  try {
    const api = openApi(context);
    const bot = await api.call('getMe', {}, Bot);
    const { url } = await api.call('getWebhookInfo', {}, Webhook).catch(() => ({ url: '' }));
    if (url !== '') {
      const sentence = `The token works, but a webhook to ${hostOf(url)} takes the messages of @${bot.username}. Switch that program off, or call the Bot API's deleteWebhook.`;
      return { ok: false, sentence };
    }
    const privacy = bot.can_read_all_group_messages
      ? 'In groups it hears everything.'
      : 'In groups it hears only what is addressed to it (/setprivacy at @BotFather changes that).';
    const meet = `Open https://t.me/${bot.username}?start=<code> and press Start, or send <code> to @${bot.username}.`;
    return { ok: true, sentence: `It works, as @${bot.username}. ${privacy}`, meet };
  } catch (error) {
    return { ok: false, sentence: healthBy(error).detail ?? errorText(error) };
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'somewhere';
}
