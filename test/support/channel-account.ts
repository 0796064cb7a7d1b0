import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Acceptance,
  ButtonPress,
  ChannelHost,
  InboundEvent,
  Membership,
  MessageChange,
  Reaction,
} from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import type { Logger } from '../../src/log/index.ts';

/** What the tests of channels share: an account in a folder of its own, and a host that writes down what it is given. */

const base = mkdtempSync(join(tmpdir(), 'channel-test-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));

export interface TestContext extends ChannelContext {
  values: Map<string, string>;
  logged: string[];
}

/** With the same `values` it is the account after a restart. */
export function testContext(
  settings: Readonly<Record<string, string>>,
  instance: string,
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
    instance,
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
  comebacks: number;
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
    comebacks: 0,
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
    available: () => void host.comebacks++,
    changed: async (change) => void host.changes.push(change),
    reacted: async (reaction) => void host.reactions.push(reaction),
    membership: async (membership) => void host.memberships.push(membership),
  };
  return host;
}
