import type { TestContext as T } from 'node:test';
import type { OutboundMessage } from '../../src/channels/adapter.ts';
import { startDiscordServer } from '../../test/fakes/discord/server.ts';
import * as account from '../../test/support/channel-account.ts';
import { type TestContext, testHost } from '../../test/support/channel-account.ts';
import { until } from '../../test/support/until.ts';
import { createDiscord } from './adapter.ts';
import type { Timing } from './gateway/gateway.ts';

/** What the tests of this package share: a host that writes down what it is given, and a Discord to be in touch with. */

export const QUICK: Timing = { patienceMs: 10_000, pauseMs: 20, longestPauseMs: 100, steadyMs: 60_000, identifyMs: 0 };

export { type TestContext, type TestHost, testHost } from '../../test/support/channel-account.ts';

/** With the same `values` it is the account after a restart. */
export const testContext = (settings: Readonly<Record<string, string>>, values?: Map<string, string>) =>
  account.testContext(settings, 'discord', values);

let count = 0;

export function outbound(fields: Partial<OutboundMessage> & { platformId: string }): OutboundMessage {
  count += 1;
  return { id: `out-${process.pid}-${count}`, threadId: null, text: 'hello', progress: false, files: [], ...fields };
}

/** A Discord, and an adapter that is in touch with it. */
export async function setUp(t: T, options: Parameters<typeof startDiscordServer>[0] = {}) {
  const server = await startDiscordServer(options);
  const context = testContext(server.settings);
  const host = testHost();
  const adapter = createDiscord(context, QUICK);
  t.after(async () => {
    await adapter.stop();
    await server.close();
  });
  await adapter.start(host);
  await until(() => adapter.health?.().state === 'connected');
  return { server, context, host, adapter };
}

/** The account after a restart, or a crash. */
export async function again(t: T, { settings, values }: TestContext) {
  const context = testContext(settings, values);
  const host = testHost();
  const adapter = createDiscord(context, QUICK);
  t.after(() => adapter.stop());
  await adapter.start(host);
  await until(() => adapter.health?.().state !== 'connecting');
  return { context, host, adapter };
}
