import type { ChannelPlugin } from '../../src/channels/plugin.ts';
import { NanoError } from '../../src/errors.ts';
import { createWebhooks } from './adapter.ts';
import { MANIFEST } from './manifest.ts';
import { readSources } from './sources.ts';

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create(context) {
    const sources = readSources(context.settings);
    if (!context.web) throw new NanoError('NC_CHANNEL', 'This host takes no webhooks.');
    return createWebhooks(context, context.web, sources);
  },
  async test({ settings, web, instance }) {
    try {
      const sources = [...readSources(settings).values()];
      const names = sources.map(
        ({ name, answer }) => `${name} (${answer ? `answers to ${answer.url.host}` : 'answers are dropped'})`,
      );
      const base = web?.url();
      const where = base ?? `/webhook/${instance} of a public address, which PUBLIC_URL in .env is to name`;
      return { ok: true, sentence: `Events of ${names.join(', ')} are taken at ${where}, followed by / and the name.` };
    } catch (error) {
      if (error instanceof NanoError) return { ok: false, sentence: error.message };
      throw error;
    }
  },
};
