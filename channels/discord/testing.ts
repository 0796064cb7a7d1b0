import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext as T } from 'node:test';
import type {
  Acceptance,
  ButtonPress,
  ChannelHost,
  InboundEvent,
  Membership,
  MessageChange,
  OutboundMessage,
  Reaction,
} from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import type { Logger } from '../../src/log/index.ts';
import { startDiscordServer } from '../../test/fakes/discord/server.ts';
import { until } from '../../test/support/until.ts';
import { createDiscord } from './adapter.ts';
import type { Timing } from './gateway/gateway.ts';

/** What the tests of this package share: a host that writes down what it is given, and a Discord to be in touch with. */

export const QUICK: Timing = { patienceMs: 10_000, pauseMs: 20, longestPauseMs: 100, steadyMs: 60_000, identifyMs: 0 };

const base = mkdtempSync(join(tmpdir(), 'discord-test-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

export interface TestContext extends ChannelContext {
  values: Map<string, string>;
  logged: string[];
}

/** With the same `values` it is the account after a restart. */
export function testContext(
  settings: Readonly<Record<string, string>>,
  values = new Map<string, string>(),
): TestContext {
  const logged: string[] = [];
  const note = (text: string, fields?: object) => void logged.push(`${text} ${JSON.stringify(fields ?? {})}`);
  const log: Logger = {
    debug: note,
    info: note,
    warn: note,
    error: note,
    child: () => log,
    redact: (text) => text,
    close() {},
  };
  return {
    instance: 'discord',
    settings,
    folder: mkdtempSync(join(base, 'account-')),
    recall: (key) => values.get(key),
    remember: (key, value) => void values.set(key, value),
    log,
    values,
    logged,
  };
}

export interface TestHost extends ChannelHost {
  events: InboundEvent[];
  presses: ButtonPress[];
  changes: MessageChange[];
  reactions: Reaction[];
  memberships: Membership[];
  /** What the next messages are answered by; after that they are stored. */
  answers: Acceptance[];
  /** Called before an answer is given. */
  onAccept(event: InboundEvent): void | Promise<void>;
}

export function testHost(): TestHost {
  const host: TestHost = {
    events: [],
    presses: [],
    changes: [],
    reactions: [],
    memberships: [],
    answers: [],
    onAccept() {},
    async accept(event) {
      await host.onAccept(event);
      host.events.push(event);
      return host.answers.shift() ?? { status: 'stored', messageIds: ['m'] };
    },
    async press(press) {
      host.presses.push(press);
      return 'Noted.';
    },
    available() {},
    changed: async (change) => void host.changes.push(change),
    reacted: async (reaction) => void host.reactions.push(reaction),
    membership: async (membership) => void host.memberships.push(membership),
  };
  return host;
}

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
