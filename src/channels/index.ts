import type { DatabaseSync } from 'node:sqlite';
import type { ChannelTools } from '../../admin/view.ts';
import type { Logger } from '../log/index.ts';
import type { TakeOver } from '../take-over/index.ts';
import type { ChannelAdapter, ChannelHost } from './adapter.ts';
import { createInstances } from './instances.ts';
import type { WebDoors } from './plugin.ts';
import { type ChannelReport, createSupervisor } from './supervisor.ts';
import { createTellOwner, type LocalOwner } from './tell-owner.ts';

/** All channels: those that the host can't do without, and the accounts that come and go. */

export interface ChannelsParts {
  builtIn: readonly ChannelAdapter[];
  owner: LocalOwner;
  db: DatabaseSync;
  /** The checkout. */
  code: string;
  /** Of settings and of what adapters keep. */
  folder: string;
  web: WebDoors;
  /** Who hears what they have to say. */
  host: ChannelHost;
  takeOver: TakeOver;
  deliver(messageIds: readonly string[]): void;
  log: Logger;
}

export interface Channels {
  /** For `ncl`. */
  tools: Omit<ChannelTools, 'deliveries' | 'change'>;
  adapter(channelType: string): ChannelAdapter | undefined;
  /** One that can be sent with by now. */
  ready(channelType: string): ChannelAdapter | undefined;
  /** Whether there is such a channel, even if it isn't there now. */
  isKnown(channelType: string): boolean;
  hasThreads(channelType: string): boolean;
  types(): string[];
  reports(): ChannelReport[];
  /** Rejects when one that is built in does not start; waits for none of the others. */
  start(): Promise<void>;
  /** Now and then. */
  look(): void;
  stop(): Promise<void>;
}

export function createChannels(parts: ChannelsParts): Channels {
  const { builtIn, db, host, log } = parts;
  const own = new Map(builtIn.map((adapter) => [adapter.channelType, adapter]));
  const adapters = new Map(own);
  const connected = new Set<string>();
  const instances = createInstances(db);
  const tellOwner = createTellOwner(db, parts.takeOver, parts.owner);
  const supervisor = createSupervisor({
    instances,
    code: parts.code,
    folder: parts.folder,
    adapters,
    host,
    tellOwner: (channelType, text) => parts.deliver(tellOwner(channelType, text)),
    web: parts.web,
    log,
  });

  async function begin(adapter: ChannelAdapter): Promise<void> {
    const { channelType } = adapter;
    await adapter.start(host).catch((error: unknown) => {
      log.error('channel did not start', { channel: channelType, error });
      throw error;
    });
    connected.add(channelType);
    // What an earlier host left unsaid was tried before the channel was there.
    host.available(channelType);
  }

  const adapter = (channelType: string) => adapters.get(channelType);
  const reportOwn = (channelType: string): ChannelReport => {
    const state = connected.has(channelType) ? 'connected' : 'connecting';
    return { instance: channelType, channel: channelType, enabled: true, state };
  };

  return {
    tools: {
      supervisor,
      instances,
      adapter,
      deliver: parts.deliver,
      code: parts.code,
      folder: parts.folder,
      webhookUrl: parts.web.url,
    },
    adapter,
    ready: (channelType) =>
      own.has(channelType) || supervisor.isUp(channelType) ? adapters.get(channelType) : undefined,
    isKnown: (channelType) => own.has(channelType) || instances.get(channelType) !== undefined,
    hasThreads: (channelType) => adapters.get(channelType)?.capabilities.threads ?? false,
    types: () => [...adapters.keys()],
    reports: () => [...[...own.keys()].map(reportOwn), ...supervisor.reports()],
    async start() {
      await Promise.all(builtIn.map(begin));
      supervisor.start();
    },
    look: supervisor.look,
    async stop() {
      try {
        await Promise.all(builtIn.map((adapter) => adapter.stop()));
      } finally {
        await supervisor.stop();
      }
    },
  };
}
