import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint, type Origin } from '@nanoclaw/protocol';
import type { ChannelAdapter, DeliveryResult, OutboundMessage, Outcome } from '../channels/adapter.ts';
import type { Deliveries, Delivery } from '../db/deliveries.ts';
import type { Drafting } from '../drafting.ts';
import type { Logger } from '../log/index.ts';
import type { Settled } from '../take-over/effects.ts';
import { createAttempt, type Tried } from './attempt.ts';
import { BACKOFF_MS, createNote, LONGEST_BACKOFF_MS } from './outcome.ts';
import { createPace } from './pace.ts';

/** Says what is queued: one chat in order, chats side by side, retried by kind of error. */

export interface DeliveryParts {
  db: DatabaseSync;
  deliveries: Deliveries;
  adapter(channelType: string): ChannelAdapter | undefined;
  /** Whether there is such a channel, even if it isn't there now; left out: it may come. */
  isKnown?(channelType: string): boolean;
  /** Nothing can be said there any more. */
  isGone?(channelType: string, platformId: string): boolean;
  /** The box of the session that an outgoing row came from, for its files. */
  boxOf(sessionId: string): string | undefined;
  /** Answers that are shown while they are written; left out: none are. */
  drafts?(): Drafting;
  /** A private folder for files on their way. */
  scratch: string;
  /** A row's fate is durable: publish it to its session. */
  onDelivered(sessionId: string, delivery: Delivery): void;
  /** A reply that can't be delivered is told to its agent and in the chat. Inside a transaction; returns what to deliver. */
  onUndeliverable(delivery: Delivery, error: string): string[];
  log: Logger;
}

export interface DeliveryQueue {
  /** Queues rows by id, in this order. */
  enqueue(messageIds: readonly string[]): void;
  /** What may as well be left out, in its chat's turn. `work` may not reject. */
  between(place: Origin, work: (turn: Turn) => Promise<void>): void;
  /** Tells the adapter, after everything queued before for that chat. */
  settled(settled: Settled): void;
  /** A channel is back: what waited for it goes on. */
  available(channelType: string): void;
  /** From the database, after a start. Returns how many. */
  resume(): number;
  depth(): number;
  /** Starts nothing new; resolves when the calls that run have ended or `graceMs` has passed. */
  stop(graceMs: number): Promise<void>;
}

type Entry =
  | { type: 'message'; id: string }
  | { type: 'settled'; settled: Settled }
  | { type: 'between'; work: (turn: Turn) => Promise<void> };

export interface Turn {
  adapter: ChannelAdapter | undefined;
  /** Something that must be said waits behind it. */
  isBusy: boolean;
  /** Takes a place in the rates that nobody else will miss; false: there is none. */
  hasRoom(): boolean;
  call(message: OutboundMessage): Promise<DeliveryResult>;
}

interface Chat {
  channelType: string;
  platformId: string;
  /** What an attempt came to, while it can't be written down: it is not made again. */
  unwritten: { id: string; result: Tried } | undefined;
  entries: Entry[];
  running: boolean;
  waiting: boolean;
  timer: NodeJS.Timeout | undefined;
}

export function createDelivery(parts: DeliveryParts): DeliveryQueue {
  const { deliveries, log } = parts;
  const chats = new Map<string, Chat>();
  const running = new Set<Promise<void>>();
  /** How often each channel has said that it is back. */
  const comebacks = new Map<string, number>();
  const putOff = new Set<NodeJS.Timeout>();
  const pace = createPace();
  const attempt = createAttempt({ ...parts, pace });
  const note = createNote({ ...parts, enqueue });
  let stopped = false;

  function chatOf(channelType: string, platformId: string): [string, Chat] {
    const key = `${channelType}\n${platformId}`;
    let chat = chats.get(key);
    if (!chat) {
      chat = {
        channelType,
        platformId,
        unwritten: undefined,
        entries: [],
        running: false,
        waiting: false,
        timer: undefined,
      };
      chats.set(key, chat);
    }
    return [key, chat];
  }

  function pump(key: string, chat: Chat): void {
    if (chat.running || chat.waiting || stopped) return;
    chat.running = true;
    const run = drain(chat)
      .catch((error: unknown) => {
        log.error('delivery failed', { entry: chat.entries[0], error });
        // A full disk, say: what failed at once would fail at once again, and leave the event loop to nobody.
        pause(chat, BACKOFF_MS);
      })
      .finally(() => {
        chat.running = false;
        running.delete(run);
        if (chat.entries.length === 0 && !chat.waiting) chats.delete(key);
        else pump(key, chat);
      });
    running.add(run);
  }

  async function drain(chat: Chat): Promise<void> {
    while (!stopped && !chat.waiting) {
      const entry = chat.entries[0];
      if (!entry) return;
      if (entry.type === 'settled') tell(entry.settled);
      else if (entry.type === 'between') await entry.work(turnOf(chat));
      else if (!(await deliverOne(chat, entry.id))) return;
      chat.entries.shift();
    }
  }

  function turnOf(chat: Chat): Turn {
    const adapter = parts.adapter(chat.channelType);
    return {
      adapter,
      isBusy: chat.entries.some(({ type }) => type === 'message'),
      hasRoom: () => adapter !== undefined && pace.hasRoom(adapter, chat.platformId),
      call: async (message) => (adapter ? pace.call(adapter, () => adapter.deliver(message)) : AWAY),
    };
  }

  function tell({ channel_type, platform_id, platformMessageId, outcome }: Settled): void {
    if (channel_type === null || platform_id === null || platformMessageId === null || outcome === 'context') return;
    const shown: Outcome = outcome === 'withdrawn' ? 'stopped' : outcome;
    parts.adapter(channel_type)?.settled?.(platform_id, platformMessageId, shown);
  }

  /** False: the chat waits, and this entry stays at its head. */
  async function deliverOne(chat: Chat, id: string): Promise<boolean> {
    const delivery = deliveries.get(id);
    if (!delivery || delivery.platform_id === null) return true;
    const wait = delivery.notBefore === null ? 0 : Date.parse(delivery.notBefore) - Date.now();
    if (wait > 0) return pause(chat, wait);
    const seen = comebacks.get(chat.channelType);
    const begun = performance.now();
    const result = chat.unwritten?.id === id ? chat.unwritten.result : await send(chat, delivery, delivery.platform_id);
    chat.unwritten = { id, result };
    faultPoint('delivery.called');
    const next = note(chat.channelType, delivery, result, Math.round(performance.now() - begun));
    chat.unwritten = undefined;
    if (next === 'done') return true;
    if (next !== 'offline') return pause(chat, next);
    // Unless it came back while it was away: nobody would say so again.
    chat.waiting = comebacks.get(chat.channelType) === seen;
    return false;
  }

  async function send(chat: Chat, delivery: Delivery, platformId: string): Promise<Tried> {
    if (parts.isGone?.(chat.channelType, platformId)) {
      return { status: 'failed', retryable: false, error: 'I am not in that chat any more.' };
    }
    const adapter = parts.adapter(chat.channelType);
    if (adapter) return attempt(adapter, delivery, platformId);
    if (parts.isKnown?.(chat.channelType) === false) {
      return { status: 'failed', retryable: false, error: `There is no channel ${chat.channelType}.` };
    }
    return { status: 'away', error: 'The channel is not there.' };
  }

  function pause(chat: Chat, ms: number): false {
    chat.waiting = true;
    clearTimeout(chat.timer);
    // A wait longer than setTimeout knows is cut into pieces: the entry looks at its time again.
    chat.timer = setTimeout(() => wake(chat), Math.min(ms, 2 ** 31 - 1));
    return false;
  }

  function wake(chat: Chat): void {
    chat.waiting = false;
    clearTimeout(chat.timer);
    for (const [key, candidate] of chats) if (candidate === chat) pump(key, chat);
  }

  function add(channelType: string | null, platformId: string | null, entry: Entry): void {
    if (channelType === null || platformId === null) return;
    const [key, chat] = chatOf(channelType, platformId);
    chat.entries.push(entry);
    pump(key, chat);
  }

  function enqueue(messageIds: readonly string[]): void {
    for (const id of messageIds) {
      const delivery = deliveries.get(id);
      if (!delivery) continue;
      const wait = delivery.notBefore === null ? 0 : Date.parse(delivery.notBefore) - Date.now();
      // What its agent put off must not hold up the chat; only a retry may, to keep the order.
      if (wait > 0 && delivery.attempts === 0) later(id, wait);
      else add(delivery.channel_type, delivery.platform_id, { type: 'message', id });
    }
  }

  function later(id: string, ms: number): void {
    const timer = setTimeout(
      () => {
        putOff.delete(timer);
        try {
          enqueue([id]);
        } catch (error) {
          log.error('a delivery is put off again', { messageId: id, error });
          later(id, LONGEST_BACKOFF_MS);
        }
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    putOff.add(timer);
  }

  return {
    enqueue,
    between: (place, work) => add(place.channel_type, place.platform_id, { type: 'between', work }),
    settled: (settled) => add(settled.channel_type, settled.platform_id, { type: 'settled', settled }),
    available(channelType) {
      comebacks.set(channelType, (comebacks.get(channelType) ?? 0) + 1);
      for (const chat of chats.values()) if (chat.channelType === channelType && chat.waiting) wake(chat);
    },
    resume() {
      // What an earlier host was about to send lies there still, under names that would be taken.
      rmSync(parts.scratch, { recursive: true, force: true });
      deliveries.doubtSending(Date.now());
      const open = deliveries.open();
      enqueue(open.map((delivery) => delivery.messageId));
      return open.length;
    },
    depth: () => [...chats.values()].reduce((sum, chat) => sum + chat.entries.length, 0),
    async stop(graceMs) {
      stopped = true;
      for (const chat of chats.values()) clearTimeout(chat.timer);
      for (const timer of putOff) clearTimeout(timer);
      pace.stop();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(running), grace]);
      clearTimeout(timer);
    },
  };
}

const AWAY = { status: 'failed', retryable: true, offline: true, error: 'The channel is not there.' } as const;
