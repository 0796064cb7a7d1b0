import type { DeliveryResult } from '../../src/channels/adapter.ts';
import { createScriptedAdapter } from '../support/scripted/adapter.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';
import type { FarEnd, Fault } from './contract.ts';
import { channelContract } from './suite.ts';

/** The channel that other tests play has to be a channel, too. */

const RESULTS: Readonly<Record<Fault['kind'], DeliveryResult | 'lost'>> = {
  'rate-limit': { status: 'failed', retryable: true, error: 'Too many requests', retryAfterMs: 2_000 },
  'server-error': { status: 'failed', retryable: true, error: 'Internal error' },
  forbidden: { status: 'failed', retryable: false, error: 'The bot was removed' },
  taken: 'lost',
};

async function farEnd(): Promise<FarEnd> {
  const platform = await startPlatform();
  const next: (DeliveryResult | 'lost')[] = [];
  // Whoever is no chat's name gets nothing.
  platform.answer(({ chat }) => (/^[a-z-]+$/.test(chat) ? next.shift() : RESULTS.forbidden));
  return {
    chats: { dm: 'ann' },
    settings: { SOCKET: platform.socketPath },
    ready: () => until(() => platform.connected()),
    async post({ chat, thread, sender, text, id, file }) {
      return platform.send(chat, text, {
        sender: `scripted:${sender}`,
        ...(thread !== undefined && { thread }),
        ...(id !== undefined && { id }),
        ...(file && { file: { name: file.name, text: Buffer.from(file.content).toString() } }),
      });
    },
    repeat: async (id) => platform.repeat(id),
    fail({ kind }) {
      next.push(RESULTS[kind]);
      return true;
    },
    shown: () => [...platform.delivered.values()],
    close: async () => platform[Symbol.dispose](),
  };
}

const ALONE = 'a line of this machine, which the host begins anew';

channelContract({
  name: 'scripted',
  farEnd,
  create: ({ settings }) => createScriptedAdapter(settings.SOCKET ?? ''),
  cannot: {
    thread: 'all of its chats are private',
    'bad-credentials': 'it needs none',
    'refused-for-now': 'it sends again at the next connection alone',
    drop: ALONE,
    reconnect: ALONE,
  },
});
