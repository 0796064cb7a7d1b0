import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ChannelHealth } from '../../../src/channels/adapter.ts';
import { errorText, NanoError } from '../../../src/errors.ts';
import type { Logger } from '../../../src/log/index.ts';
import type { Journal } from '../journal.ts';
import type { Api } from '../rest/api.ts';
import { fatalClose, forgetsSession, healthBy } from './closes.ts';
import { connectOnce, type Dispatch, type End } from './connection.ts';

/** Keeps a connection to the gateway: the old session where Discord still has it, else a new one. */

export interface Timing {
  /** For Discord's first words on a new connection. */
  patienceMs: number;
  /** Of the first pause after a failure, doubled each time up to the longest. */
  pauseMs: number;
  longestPauseMs: number;
  /** Connected for less, it begins no new count of its failures. */
  steadyMs: number;
  /** Between two new sessions: Discord allows one in five seconds. */
  identifyMs: number;
}

export const TIMING: Timing = {
  patienceMs: 30_000,
  pauseMs: 1_000,
  longestPauseMs: 60_000,
  steadyMs: 60_000,
  identifyMs: 5_000,
};

export interface GatewayParts {
  api: Api;
  token: string;
  journal: Journal;
  timing: Timing;
  /** Resolves when the event is durable; rejects when it is being stopped. */
  take(type: string, data: unknown): Promise<void>;
  /** Discord is there, for the first time or again; `isNew`: it brings nothing of what came meanwhile. */
  onConnected(isNew: boolean): void;
  log: Logger;
  signal: AbortSignal;
}

/** Servers, and in them and in direct chats messages, their content and reactions. */
const INTENTS = [0, 9, 10, 12, 13, 15].reduce((sum, bit) => sum | (1 << bit), 0);
/** A session that Discord won't take up again is given up for a new one. */
const RESUMES = 3;
/** Events that the host has not taken yet. Discord keeps what follows, until the session is taken up again. */
const MOST_WAITING = 1_000;

const Where = z.object({
  url: z.string(),
  session_start_limit: z.object({ remaining: z.number(), reset_after: z.number().nonnegative() }).optional(),
});
const Ready = z.object({ session_id: z.string(), resume_gateway_url: z.string().optional() });

export function createGateway(parts: GatewayParts) {
  const { api, token, journal, timing, take, onConnected, log, signal } = parts;
  let health: ChannelHealth = { state: 'connecting' };
  let failures = 0;
  let refusedResumes = 0;
  let identifiedAt = Number.NEGATIVE_INFINITY;
  let connectedAt: number | undefined;

  function connected(isNew: boolean): void {
    health = { state: 'connected' };
    connectedAt = performance.now();
    refusedResumes = 0;
    onConnected(isNew);
  }

  function onDispatch({ type, data, seq }: Dispatch, url: string): string | undefined {
    if (type === 'READY') {
      const { data: ready } = Ready.safeParse(data);
      if (!ready) return 'its answer can not be read';
      journal.begin({ id: ready.session_id, url: ready.resume_gateway_url ?? url });
    }
    const done = journal.received(seq);
    if (type === 'READY' || type === 'RESUMED') {
      done();
      connected(type === 'READY');
      return undefined;
    }
    take(type, data).then(done, (error: unknown) => {
      if (!signal.aborted) log.error('an event was not taken', { type, error });
    });
    return journal.waiting() > MOST_WAITING ? 'the host can not keep up' : undefined;
  }

  async function resume(): Promise<End> {
    const session = journal.session();
    if (!session) return identify();
    const { id: session_id, seq, url } = session;
    return connectBy(url, { op: 6, d: { token, session_id, seq } });
  }

  async function identify(): Promise<End> {
    const { url, session_start_limit: limit } = await api.call('GET', '/gateway/bot', Where, { signal });
    if (limit && limit.remaining <= 0) {
      const until = new Date(Date.now() + limit.reset_after).toISOString();
      health = { state: 'connecting', detail: `Discord allows no more sign-ins of this bot until ${until}.` };
      await sleep(limit.reset_after, undefined, { signal });
    }
    const wait = identifiedAt + timing.identifyMs - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal });
    identifiedAt = performance.now();
    const properties = { os: process.platform, browser: 'nanoclaw', device: 'nanoclaw' };
    return connectBy(url, { op: 2, d: { token, intents: INTENTS, properties, large_threshold: 50 } });
  }

  function connectBy(url: string, greet: { op: 2 | 6; d: object }): Promise<End> {
    if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
      throw new NanoError('NC_CHANNEL', "The gateway's address can't be read.");
    }
    return connectOnce({
      url,
      greet,
      durable: () => journal.session()?.seq ?? null,
      onDispatch: (dispatch) => onDispatch(dispatch, url),
      onAck: () => {
        if (health.state === 'connected') journal.heard();
      },
      patienceMs: timing.patienceMs,
      signal,
    });
  }

  /** Returns how long to wait, or undefined when a person has to see to it. */
  function ended({ code, reason, isForgotten, isAsked }: End, wasResume: boolean): number | undefined {
    const lasted = connectedAt === undefined ? undefined : performance.now() - connectedAt;
    connectedAt = undefined;
    if (lasted !== undefined && lasted >= timing.steadyMs) failures = 0;
    if (wasResume && lasted === undefined) refusedResumes += 1;
    if (isForgotten || forgetsSession(code) || refusedResumes >= RESUMES) journal.forget();
    if (refusedResumes >= RESUMES) refusedResumes = 0;
    const fatal = fatalClose(code);
    if (fatal) {
      health = fatal;
      log.error('discord ended the connection for good', { code, reason });
      return undefined;
    }
    health = { state: 'connecting', detail: `The connection to Discord is broken: ${reason}.` };
    log.warn('the gateway is gone', { code, reason, failures });
    failures += 1;
    // Asked for once more at once, it waits like any other.
    return isAsked && failures === 1 ? 0 : pause();
  }

  function pause(): number {
    const ms = Math.min(timing.pauseMs * 2 ** Math.min(failures - 1, 20), timing.longestPauseMs);
    return ms * (0.75 + Math.random() / 2);
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const wasResume = journal.session() !== undefined;
        const wait = ended(await (wasResume ? resume() : identify()), wasResume);
        if (wait === undefined) return;
        await sleep(wait, undefined, { signal });
        await journal.fewerThan(MOST_WAITING, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        health = healthBy(error);
        log.warn('discord can not be reached', { failures, state: health.state, error: errorText(error) });
        if (health.state === 'failed') return;
        await sleep(pause(), undefined, { signal }).catch(() => {});
      }
    }
  }

  return { run, health: () => health };
}
