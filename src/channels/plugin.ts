import type { Logger } from '../log/index.ts';
import type { ChannelAdapter } from './adapter.ts';

/** What a package below `channels/` is: it imports this file, `adapter.ts` and its own dependencies, and nothing else of the host. */

export interface ChannelSetting {
  /** As in .env, without the instance: `TOKEN`. */
  name: string;
  /** Asked for by hidden prompt, stored 0600, never shown. */
  secret: boolean;
  required: boolean;
  /** One line: what it is. */
  label: string;
  /** How a person comes by it, a step a line. */
  steps: readonly string[];
  default?: string;
}

export interface ChannelManifest {
  /** Also the folder below `channels/`: `telegram`. */
  name: string;
  /** As people write it: `Telegram`. */
  title: string;
  summary: string;
  settings: readonly ChannelSetting[];
  /** What `ncl channels add` downloads, roughly; 0: nothing. */
  downloadMb: number;
  /** Whether it ever met the real platform, and what proves it otherwise. */
  proof: string;
}

/** A request to `/webhook/<instance>`. Nothing in it has been checked. */
export interface WebRequest {
  /** One more part of the path, where there is one: `github`. */
  path: string;
  /** Names in small letters. */
  headers: Readonly<Record<string, string>>;
  /** As it came: signatures are over these bytes. */
  body: Buffer;
}

export interface WebAnswer {
  status: number;
  /** The body; a short word when it is left out. */
  json?: unknown;
  retryAfterS?: number;
}

/** Resolves when the request is durable; the platform is answered only then. A rejection is a 500: it tries again. */
export type WebHandler = (request: WebRequest) => Promise<WebAnswer>;

/** The host's web server, for platforms that can do nothing but call. */
export interface WebDoor {
  /** From then on requests come. Returns what ends it. `maxBodyBytes`: 1 MB when left out. Rejects with NC_CHANNEL. */
  serve(handler: WebHandler, options?: { maxBodyBytes?: number }): Promise<() => Promise<void>>;
  /** Where the platform reaches it; undefined without PUBLIC_URL. Throws NC_CHANNEL when that is wrong. */
  url(): string | undefined;
}

/** The web server itself: loaded and opened with the first account that wants it, closed with the last. */
export interface WebDoors {
  /** What a channel is given for this account. */
  of(instance: string): WebDoor;
  /** Where a platform reaches this account. Throws NC_CHANNEL with what is missing. */
  url(instance: string): string;
  /** Where it listens, while it does. */
  port(): number | undefined;
}

export interface ChannelContext {
  /** The channel type of this account: `telegram`, or `telegram-work` for a second one. */
  instance: string;
  /** The settings that were given, by name. */
  settings: Readonly<Record<string, string>>;
  /** A private folder that stays: cursors, downloads. */
  folder: string;
  /** A small value that outlives the process, written durably before it returns. */
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
  /** Left out where no requests are taken. */
  web?: WebDoor;
  log: Logger;
}

export interface ChannelPlugin {
  manifest: ChannelManifest;
  /** Checks its settings and makes the adapter; connects nothing. Throws a NanoError with a sentence. */
  create(context: ChannelContext): ChannelAdapter;
  /**
   * Whether the credentials work, and as whom; one sentence either way. `meet`: how a person writes to it alone, with `<code>`
   * where an owner's code stands; left out: nobody is paired there.
   */
  test(context: ChannelContext): Promise<{ ok: boolean; sentence: string; meet?: string }>;
  /**
   * What a person needs to come in, as text: a link that opens a page once, a code to scan. For that user of the channel,
   * else its default one. Works beside a running adapter. Throws a NanoError for what is no user. Left out: nobody logs in here.
   */
  login?(context: ChannelContext, user?: string): Promise<string>;
}
