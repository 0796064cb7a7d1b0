import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../log/index.ts';
import type { ChannelAdapter, ChannelHealth, ChannelHost } from './adapter.ts';
import type { Instance, Instances } from './instances.ts';
import { loadPlugin, packageFolder } from './load.ts';
import type { ChannelContext, ChannelPlugin, WebDoors } from './plugin.ts';
import { readSettings, requireSettings } from './settings.ts';

/**
 * Keeps accounts on platforms going, each on its own: what hangs, fails or has bad credentials is tried again for ever,
 * and stops nobody.
 */

export interface SupervisorParts {
  instances: Instances;
  /** The checkout, with the packages. */
  code: string;
  /** Of settings and of what adapters keep. */
  folder: string;
  /** All that run, by channel type: added and taken away here. */
  adapters: Map<string, ChannelAdapter>;
  host: ChannelHost;
  /** Told when a channel has been deaf for ten minutes, and once more when it is back. */
  tellOwner(channelType: string, text: string): void;
  /** For platforms that call. */
  web?: WebDoors;
  log: Logger;
  /** Monotonic, in ms; and shorter waits, for tests. */
  now?: () => number;
  patience?: Partial<typeof PATIENCE>;
}

export interface ChannelReport extends ChannelHealth {
  instance: string;
  channel: string;
  enabled: boolean;
}

export interface Supervisor {
  /** Begins to start what is enabled; waits for none of it. */
  start(): void;
  /** Looks at one account anew: starts, restarts or ends it, as its row says. Resolves when the old one has ended. */
  follow(instance: string): Promise<void>;
  /** Called now and then: who is deaf, and who has to be started again? */
  look(): void;
  reports(): ChannelReport[];
  /** Whether its adapter has been started: before that nothing can be sent. */
  isUp(instance: string): boolean;
  /** What a plugin is given for this account, with settings from another folder to try them. Throws NC_CHANNEL, NC_ENV_INVALID. */
  open(instance: Instance, settings?: string): Promise<{ plugin: ChannelPlugin; context: ChannelContext }>;
  /** What must not come into a log. */
  secrets(): readonly string[];
  stop(): Promise<void>;
}

const PATIENCE = {
  /** A start that takes longer hangs. */
  startMs: 60_000,
  stopMs: 5_000,
  shortestMs: 1_000,
  longestMs: 5 * 60_000,
  /** For what connects again by itself. */
  connectingMs: 5 * 60_000,
  deafMs: 10 * 60_000,
  /** Connected for less, it begins no new count of its tries. */
  steadyMs: 60_000,
};

interface Entry {
  row: Instance;
  adapter: ChannelAdapter | undefined;
  state: 'starting' | 'up' | 'waiting';
  /** Why it isn't up. */
  detail: string | undefined;
  tries: number;
  timer: NodeJS.Timeout | undefined;
  ended: boolean;
  /** In monotonic ms. */
  deafSince: number | undefined;
  connectedSince: number | undefined;
  isTold: boolean;
}

export function createSupervisor(parts: SupervisorParts): Supervisor {
  const { instances, code, folder, adapters, host, log, now = () => performance.now() } = parts;
  const patience = { ...PATIENCE, ...parts.patience };
  const entries = new Map<string, Entry>();
  const secrets = new Map<string, readonly string[]>();

  async function open(row: Instance, from = folder) {
    const where = packageFolder(code, row);
    const plugin = await loadPlugin(where, row.channel);
    const { instance } = row;
    const settings = readSettings(from, instance, plugin.manifest);
    const isPublic = (one: string) => plugin.manifest.settings.some(({ name, secret }) => name === one && !secret);
    const hidden = Object.entries(settings).flatMap(([name, value]) =>
      isPublic(name) || value.length < 8 ? [] : [value],
    );
    // Those that were replaced may still be spoken of.
    secrets.set(instance, [...new Set([...(secrets.get(instance) ?? []), ...hidden])]);
    requireSettings(settings, plugin.manifest);
    const own = join(folder, instance);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const context: ChannelContext = {
      instance,
      settings,
      folder: own,
      recall: (key) => instances.recall(instance, key),
      remember: (key, value) => instances.remember(instance, key, value),
      ...(parts.web && { web: parts.web.of(instance) }),
      log,
    };
    return { plugin, context };
  }

  async function begin(entry: Entry): Promise<void> {
    const { instance } = entry.row;
    entry.state = 'starting';
    let adapter: ChannelAdapter | undefined;
    try {
      const { plugin, context } = await open(entry.row);
      if (entry.ended) return;
      adapter = plugin.create(context);
      if (adapter.channelType !== instance) throw new Error(`it calls itself ${adapter.channelType}`);
      entry.adapter = adapter;
      adapters.set(instance, adapter);
      await within(patience.startMs, adapter.start(hostFor(entry, adapter)));
      if (entry.ended) return;
      entry.state = 'up';
      entry.detail = undefined;
      log.info('channel started', { channel: instance });
      host.available(instance);
    } catch (error) {
      if (entry.ended) return;
      log.warn('channel did not start', { channel: instance, tries: entry.tries + 1, error });
      await drop(entry, adapter);
      again(entry, log.redact(reasonOf(error)));
    }
  }

  function again(entry: Entry, detail: string): void {
    if (entry.ended) return;
    const wait = Math.min(patience.shortestMs * 2 ** Math.min(entry.tries, 20), patience.longestMs);
    Object.assign(entry, { state: 'waiting', detail, tries: entry.tries + 1 });
    clearTimeout(entry.timer);
    // Not all of those that lost the same network at the same moment.
    entry.timer = setTimeout(() => void begin(entry), wait * (0.75 + Math.random() / 2));
    entry.timer.unref();
  }

  /** One that has ended speaks for nobody, and nobody in another's name. */
  function hostFor(entry: Entry, adapter: ChannelAdapter): ChannelHost {
    const { instance } = entry.row;
    const isOwn = (channelType: string) => channelType === instance && entry.adapter === adapter && !entry.ended;
    const { changed, reacted, membership } = host;
    return {
      accept: (event) =>
        isOwn(event.channelType)
          ? host.accept(event)
          : Promise.resolve({ status: 'refused', code: 'NC_CHANNEL', sentence: 'This channel is not in use.' }),
      press: (one, no) =>
        isOwn(one.channelType) ? host.press(one, no) : Promise.resolve('This channel is not in use.'),
      available: (channelType) => {
        if (isOwn(channelType)) host.available(channelType);
      },
      ...(changed && { changed: async (one) => (isOwn(one.channelType) ? changed(one) : undefined) }),
      ...(reacted && { reacted: async (one) => (isOwn(one.channelType) ? reacted(one) : undefined) }),
      ...(membership && { membership: async (one) => (isOwn(one.channelType) ? membership(one) : undefined) }),
    };
  }

  async function drop(entry: Entry, adapter: ChannelAdapter | undefined): Promise<void> {
    const { instance } = entry.row;
    if (!adapter) return;
    if (adapters.get(instance) === adapter) adapters.delete(instance);
    if (entry.adapter === adapter) entry.adapter = undefined;
    await within(patience.stopMs, adapter.stop()).catch((error: unknown) =>
      log.warn('channel did not stop', { channel: instance, error }),
    );
  }

  async function end(entry: Entry): Promise<void> {
    entry.ended = true;
    clearTimeout(entry.timer);
    entries.delete(entry.row.instance);
    await drop(entry, entry.adapter);
  }

  function add(row: Instance): void {
    const entry: Entry = {
      row,
      adapter: undefined,
      state: 'starting',
      detail: undefined,
      tries: 0,
      timer: undefined,
      ended: false,
      deafSince: now(),
      connectedSince: undefined,
      isTold: false,
    };
    entries.set(row.instance, entry);
    void begin(entry);
  }

  function healthOf({ state, adapter, detail }: Entry): ChannelHealth {
    if (state === 'up') return adapter?.health?.() ?? { state: 'connected' };
    return { state: state === 'waiting' ? 'failed' : 'connecting', ...(detail !== undefined && { detail }) };
  }

  function lookAt(entry: Entry, time: number): void {
    const { instance } = entry.row;
    const health = healthOf(entry);
    if (health.state === 'connected') {
      if (entry.isTold) parts.tellOwner(instance, `The channel ${instance} is back.`);
      entry.connectedSince ??= time;
      if (time - entry.connectedSince >= patience.steadyMs) entry.tries = 0;
      Object.assign(entry, { deafSince: undefined, isTold: false });
      return;
    }
    entry.connectedSince = undefined;
    entry.deafSince ??= time;
    const deafMs = time - entry.deafSince;
    if (deafMs >= patience.deafMs && !entry.isTold) {
      entry.isTold = true;
      const why = health.detail === undefined ? '' : ` ${health.detail}`;
      parts.tellOwner(
        instance,
        `⚠️ The channel ${instance} has heard nothing for ten minutes.${why} I go on trying; \`ncl channels list\` tells more.`,
      );
    }
    const isLost = health.state === 'failed' || deafMs >= patience.connectingMs;
    if (entry.state !== 'up' || !isLost) return;
    log.warn('channel is started again', { channel: instance, detail: health.detail });
    const { adapter } = entry;
    entry.state = 'waiting';
    entry.detail = health.detail;
    void drop(entry, adapter).then(() => again(entry, health.detail ?? 'It could not connect again by itself.'));
  }

  return {
    start() {
      for (const row of instances.list()) if (row.enabled) add(row);
    },
    async follow(instance) {
      const old = entries.get(instance);
      if (old) await end(old);
      const row = instances.get(instance);
      if (row?.enabled) add(row);
      else secrets.delete(instance);
      // What waits for one that is gone for good ends now.
      if (!row) host.available(instance);
    },
    look() {
      const time = now();
      for (const entry of [...entries.values()]) lookAt(entry, time);
    },
    reports: () =>
      instances.list().map((row) => {
        const entry = entries.get(row.instance);
        const health: ChannelHealth = entry ? healthOf(entry) : { state: 'failed', detail: 'It is switched off.' };
        return { instance: row.instance, channel: row.channel, enabled: row.enabled, ...health };
      }),
    isUp: (instance) => entries.get(instance)?.state === 'up',
    open,
    secrets: () => [...secrets.values()].flat(),
    async stop() {
      await Promise.all([...entries.values()].map(end));
    },
  };
}

async function within(ms: number, call: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It does not answer.')), ms);
    timer.unref();
  });
  await Promise.race([call, late]).finally(() => clearTimeout(timer));
}
