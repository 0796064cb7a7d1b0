import { z } from 'zod';
import type { ChannelContext, ChannelPlugin } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { createSlack, Me } from './adapter.ts';
import { MANIFEST } from './manifest.ts';
import { healthBy } from './outcome.ts';
import { openSettings } from './settings.ts';

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: (context) => createSlack(context),
  test,
};

const Opened = z.object({ url: z.string() });

async function test(context: ChannelContext): Promise<{ ok: boolean; sentence: string; meet?: string }> {
  const { bot, app } = openSettings(context);
  let asked: 'bot' | 'app' = 'bot';
  try {
    const { user = 'a bot', team = 'a workspace' } = await bot.call('auth.test', {}, Me);
    asked = 'app';
    if (app) await app.call('apps.connections.open', {}, Opened);
    const way = app
      ? 'Events come over a socket.'
      : `Events come to ${context.web?.url() ?? 'a webhook: PUBLIC_URL in .env is missing'}.`;
    const meet = `In ${team}, open the app @${user} (under Apps, or by a search for it) and send it <code>.`;
    return { ok: true, sentence: `It works, as @${user} in ${team}. ${way}`, meet };
  } catch (error) {
    return { ok: false, sentence: healthBy(error, asked).detail ?? errorText(error) };
  }
}
