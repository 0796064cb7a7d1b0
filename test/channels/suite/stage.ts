import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  ChannelHost,
  DeliveryResult,
  InboundEvent,
  MessageChange,
  OutboundMessage,
  Reaction,
} from '../../../src/channels/adapter.ts';
import type { ChannelContext } from '../../../src/channels/plugin.ts';
import { createLogger } from '../../../src/log/index.ts';
import { until } from '../../support/until.ts';
import type { Case, ChannelUnderTest, FarEnd, Post, Shown } from '../contract.ts';

/** An adapter between its far end and a host that notes what it is handed. */

export interface Stage {
  under: ChannelUnderTest;
  far: FarEnd;
  adapter: ChannelAdapter;
  events: InboundEvent[];
  presses: ButtonPress[];
  changes: MessageChange[];
  reactions: Reaction[];
  /** What the host does before an event is durable (`wait`), and before it says so (`answer`). */
  storing: { wait: Promise<void>; answer: Promise<void>; offered: number };
  /** What becomes of the next events; then they are stored. */
  answers: Acceptance[];
  memory: Memory;
  context: ChannelContext;
  /** The adapter after a restart, with all that it remembers; `between`: while nothing runs. */
  restart(between?: () => void | Promise<void>): Promise<ChannelAdapter>;
  /** Somebody writes in the private chat. */
  hear(text: string, more?: Partial<Post>): Promise<string>;
  /** Once an event has this text. */
  heard(text: string): Promise<InboundEvent>;
  say(more?: Partial<OutboundMessage>): Promise<DeliveryResult>;
  /** Of one text, once it stands there. */
  shown(text: string): Promise<Shown>;
}

/** What the adapter remembers by the host. */
export interface Memory {
  values: Map<string, string>;
  /** So many of the next attempts to remember something fail. */
  failures: number;
}

export interface ContractCase {
  name: Case;
  title: string;
  run(stage: Stage, skip: (reason: string) => void): Promise<void>;
}

export const PATIENCE_MS = 30_000;
export const NOBODY = new Promise<void>(() => {});
/** As the host has it, but shorter. */
const STOP_MS = 2_000;
let count = 0;

export async function withStage(under: ChannelUnderTest, run: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-contract-'));
  const far = await under.farEnd();
  const memory: Memory = { values: new Map(), failures: 0 };
  const context = contextFor(under.name, folder, far.settings, memory);
  const noted = {
    events: [] as InboundEvent[],
    presses: [] as ButtonPress[],
    changes: [] as MessageChange[],
    reactions: [] as Reaction[],
    answers: [] as Acceptance[],
    storing: { wait: Promise.resolve(), answer: Promise.resolve(), offered: 0 },
  };
  const host = notingHost(noted);
  const begin = async () => {
    const made = under.create(context);
    await made.start(host);
    await far.ready?.();
    return made;
  };
  const stage: Stage = {
    under,
    far,
    adapter: await begin(),
    ...noted,
    memory,
    context,
    async restart(between) {
      await ended(stage.adapter);
      await between?.();
      stage.adapter = await begin();
      return stage.adapter;
    },
    hear: (text, more = {}) => far.post({ chat: far.chats.dm, sender: 'ann', text, ...more }),
    async heard(text) {
      const find = () => noted.events.find((event) => event.text.includes(text));
      await until(find, PATIENCE_MS);
      const found = find();
      assert.ok(found);
      return found;
    },
    say(more = {}) {
      count += 1;
      const { dm: platformId } = far.chats;
      const plain = { platformId, threadId: null, text: `hello ${count}`, progress: false, files: [] };
      return stage.adapter.deliver({ ...plain, id: `contract-${process.pid}-${count}`, ...more });
    },
    async shown(text) {
      const find = async () => (await far.shown()).find((one) => one.text.includes(text));
      await until(async () => (await find()) !== undefined, PATIENCE_MS);
      const found = await find();
      assert.ok(found);
      return found;
    },
  };
  try {
    await connected(stage.adapter);
    await run(stage);
  } finally {
    noted.storing.wait = Promise.resolve();
    await ended(stage.adapter);
    await far.close();
    context.log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function notingHost(noted: Pick<Stage, 'events' | 'presses' | 'changes' | 'reactions' | 'answers' | 'storing'>) {
  const host: ChannelHost = {
    async accept(event) {
      const { storing } = noted;
      const { wait, answer } = storing;
      storing.offered += 1;
      await wait;
      noted.events.push(event);
      await answer;
      return noted.answers.shift() ?? { status: 'stored', messageIds: [event.platformMessageId] };
    },
    async press(press) {
      noted.presses.push(press);
      return 'Noted.';
    },
    available: () => {},
    changed: async (change) => void noted.changes.push(change),
    reacted: async (reaction) => void noted.reactions.push(reaction),
    membership: async () => {},
  };
  return host;
}

export async function connected(adapter: ChannelAdapter): Promise<void> {
  await until(() => (adapter.health?.().state ?? 'connected') === 'connected', PATIENCE_MS);
}

/** One that waits for a store that never answers is left as a crash would leave it. */
async function ended(adapter: ChannelAdapter): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_MS);
  });
  await Promise.race([adapter.stop(), late]).finally(() => clearTimeout(timer));
}

export function contextFor(
  name: string,
  folder: string,
  settings: Readonly<Record<string, string>>,
  memory: Memory = { values: new Map(), failures: 0 },
): ChannelContext {
  return {
    instance: name,
    settings,
    folder,
    recall: (key) => memory.values.get(key),
    remember(key, value) {
      if (memory.failures > 0) {
        memory.failures -= 1;
        throw new Error('The disk is full.');
      }
      memory.values.set(key, value);
    },
    log: createLogger({ folder: join(folder), secrets: () => [] }),
  };
}

/** The host keeps one of each chat and id. */
export function distinct(events: readonly InboundEvent[]): InboundEvent[] {
  return [...new Map(events.map((event) => [`${event.platformId}\n${event.platformMessageId}`, event])).values()];
}

/** The ids under which a text came. */
export function idsOf(events: readonly InboundEvent[], text: string): string[] {
  return [...new Set(events.filter((event) => event.text.includes(text)).map((event) => event.platformMessageId))];
}
