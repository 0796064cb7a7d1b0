import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket, { type RawData } from 'ws';
import { z } from 'zod';
import type { ChannelHealth } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { type Api, Refusal } from './api.ts';
import { healthBy } from './outcome.ts';

/**
 * Socket mode: Slack brings events over a WebSocket that it closes every hour or so. The next one is opened when Slack gives
 * warning, and the old one stays until it is closed, so that nothing is missed in between. An envelope is acknowledged when
 * `take` resolves, and not at all when it rejects: then Slack brings it again.
 */

export interface Timing {
  /** Slack says hello at once. */
  helloMs: number;
  /** How often it is asked whether it is there; one that doesn't answer until the next time is dead. */
  pingMs: number;
  /** Of the first pause after a failure, doubled each time up to the longest. */
  pauseMs: number;
  longestPauseMs: number;
  /** A connection that was needed for less has failed, too. */
  steadyMs: number;
  /** For an old socket, once the next one is there. */
  overlapMs: number;
  /** Until it is asked again whether another program is connected. */
  rivalMs: number;
}

export const TIMING: Timing = {
  helloMs: 15_000,
  pingMs: 10_000,
  pauseMs: 1_000,
  longestPauseMs: 60_000,
  steadyMs: 30_000,
  overlapMs: 60_000,
  rivalMs: 60_000,
};

export interface SocketParts {
  api: Api;
  timing: Timing;
  /** Resolves when the payload is durable. */
  take(payload: unknown): Promise<void>;
  /** Events come, for the first time or again. */
  onConnected(): void;
  /** None come any more. */
  onDeaf(): void;
  log: Logger;
  signal: AbortSignal;
}

const Frame = z.looseObject({
  type: z.string(),
  reason: z.string().optional(),
  num_connections: z.number().optional(),
});
const Envelope = z.looseObject({ envelope_id: z.string(), payload: z.unknown() });
const Opened = z.object({ url: z.string() });
/** A frame is an event; Slack's largest are far smaller. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export function createSocket({ api, timing, take, onConnected, onDeaf, log, signal }: SocketParts) {
  /** Those that said hello, the newest last. */
  const live = new Set<WebSocket>();
  const all = new Set<WebSocket>();
  let health: ChannelHealth = { state: 'connecting' };
  /** A socket that said hello and has been asked for nothing since. */
  let current: WebSocket | undefined;
  let failures = 0;
  /** Connections in a row that ended soon. */
  let brief = 0;
  /** How often in a row Slack counted more connections than ours: each event goes to one of them alone. */
  let rivals = 0;
  let isHearing = false;
  let aliveAt = Date.now();
  let wake = Promise.withResolvers<void>();

  /** Opens the next socket; resolves when Slack has said hello on it. */
  async function open(): Promise<void> {
    const { url } = await api.call('apps.connections.open', {}, Opened, { signal });
    const socket = new WebSocket(url, { handshakeTimeout: timing.helloMs, maxPayload: MAX_FRAME_BYTES });
    all.add(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => reject(new Error('Slack did not say hello.')), timing.helloMs);
    const watch = watched(socket, timing.pingMs, {
      onAlive: () => (aliveAt = Date.now()),
      onDead: () => log.warn('slack is silent, the socket is dead'),
    });
    socket.on('message', (data) => heard(socket, data, resolve, reject));
    socket.on('error', reject);
    socket.on('close', (code) => {
      clearInterval(watch);
      all.delete(socket);
      live.delete(socket);
      reject(new Error(`The socket was closed (${code}).`));
      // What is to be replaced has been replaced, or is about to be.
      if (current === socket) lost();
      deafIfNone();
    });
    try {
      await promise;
    } catch (error) {
      socket.terminate();
      throw error;
    } finally {
      clearTimeout(late);
    }
    if (socket.readyState !== WebSocket.OPEN) throw new Error('The socket was closed at once.');
    const old = [...live];
    live.add(socket);
    current = socket;
    for (const one of old) setTimeout(() => one.close(), timing.overlapMs).unref();
  }

  function heard(socket: WebSocket, data: RawData, hello: () => void, refused: (error: Error) => void): void {
    const frame = Frame.safeParse(parsed(data));
    const { type = 'unreadable', reason = 'unknown', num_connections: connections = 1 } = frame.data ?? {};
    if (type === 'hello') {
      rivals = connections > all.size ? rivals + 1 : 0;
      hello();
    } else if (type === 'disconnect') {
      log.info('slack ends a socket', { reason });
      refused(new Refusal(reason));
      if (current === socket) lost();
    } else {
      const envelope = Envelope.safeParse(frame.data);
      if (envelope.success) bring(socket, envelope.data);
      else log.warn('slack sent a frame of another kind', { type });
    }
  }

  function bring(socket: WebSocket, { envelope_id, payload }: z.infer<typeof Envelope>): void {
    take(payload).then(
      () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ envelope_id })),
      (error: unknown) => log.warn('an event was not taken, slack brings it again', { error: errorText(error) }),
    );
  }

  /** The next socket is needed. */
  function lost(): void {
    current = undefined;
    wake.resolve();
  }

  function deafIfNone(): void {
    if (live.size > 0 || !isHearing) return;
    isHearing = false;
    health = { state: 'connecting', detail: 'The connection to Slack broke.' };
    onDeaf();
  }

  /** One that has just died may be counted still, so the first time is no reason to call somebody. */
  function healthy(): ChannelHealth {
    return rivals > 1 ? { state: 'failed', detail: RIVAL } : { state: 'connected' };
  }

  async function run(): Promise<void> {
    const end = () => {
      wake.resolve();
      for (const socket of all) socket.terminate();
    };
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      wake = Promise.withResolvers();
      try {
        await open();
        failures = 0;
        const wasDeaf = !isHearing;
        isHearing = true;
        health = healthy();
        if (wasDeaf) onConnected();
        const again = rivals > 0 ? setTimeout(lost, timing.rivalMs) : undefined;
        const openedAt = performance.now();
        if (current !== undefined && !signal.aborted) await wake.promise;
        clearTimeout(again);
        brief = performance.now() - openedAt < timing.steadyMs ? brief + 1 : 0;
        // The first one may be replaced at once.
        if (brief > 1 && !signal.aborted) await sleep(pauseAfter(brief - 1), undefined, { signal });
      } catch (error) {
        if (!signal.aborted) await sleep(failed(error), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Returns how long to wait. */
  function failed(error: unknown): number {
    failures += 1;
    // As long as an old one lives, nothing is missed.
    if (live.size === 0) health = healthBy(error, 'app');
    log.warn('slack can not be connected to', { failures, state: health.state, error: errorText(error) });
    const own = error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0;
    return Math.max(pauseAfter(failures), own);
  }

  function pauseAfter(times: number): number {
    const pause = Math.min(timing.pauseMs * 2 ** Math.min(times - 1, 20), timing.longestPauseMs);
    return pause * (0.75 + Math.random() / 2);
  }

  return {
    run,
    health: (): ChannelHealth => health,
    /** When Slack was last heard, in ms. */
    aliveAt: () => aliveAt,
  };
}

const RIVAL =
  'Another program is connected to Slack with the same app token, and gets a part of the messages. Stop it, or make a token of its own for each.';

/** Ends a socket whose other end is silent: a connection can die without a word. */
function watched(
  socket: WebSocket,
  pingMs: number,
  { onAlive, onDead }: { onAlive(): void; onDead(): void },
): NodeJS.Timeout {
  let isAlive = true;
  const heard = () => {
    isAlive = true;
    onAlive();
  };
  for (const event of ['pong', 'ping', 'message']) socket.on(event, heard);
  return setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (!isAlive) {
      onDead();
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, pingMs);
}

function parsed(data: RawData): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
