import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint, MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import type {
  Card,
  ChannelAdapter,
  DeliveryResult,
  OutboundFile,
  OutboundMessage,
  Outcome,
} from './channels/adapter.ts';
import { createRates } from './channels/rates.ts';
import { nextPart } from './channels/split.ts';
import { agentsId, type Deliveries, type Delivery } from './db/deliveries.ts';
import { quickTransaction, transaction } from './db/group-commit.ts';
import { errorText } from './errors.ts';
import type { LogFields, Logger } from './log/index.ts';
import { dropOutbox, takeOut } from './mailbox/attachments.ts';
import { type HostOut, readContent, type Settled } from './take-over.ts';

/** Says what is queued: one chat in order, chats side by side, retried by kind of error. */

const RETRIES = 8;
/** Of one that the platform asks to come back with, at its own time. */
const RATE_LIMITED_RETRIES = 100;
/** Where a platform can't tell one message from the same one once more, a person can. */
const REPEAT_MARK = '(possibly a repeat)\n';
const BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

export interface DeliveryParts {
  db: DatabaseSync;
  deliveries: Deliveries;
  adapter(channelType: string): ChannelAdapter | undefined;
  /** Whether there is such a channel, even if it isn't there now; left out: it may come. */
  isKnown?(channelType: string): boolean;
  /** The box of the session that an outgoing row came from, for its files. */
  boxOf(sessionId: string): string | undefined;
  /** A private folder for files on their way. */
  scratch: string;
  /** A row's fate is durable: publish it to its session. */
  onDelivered(sessionId: string): void;
  /** A reply that can't be delivered is told to its agent and in the chat. Inside a transaction; returns what to deliver. */
  onUndeliverable(delivery: Delivery, error: string): string[];
  log: Logger;
}

export interface DeliveryQueue {
  /** Queues rows by id, in this order. */
  enqueue(messageIds: readonly string[]): void;
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

/** A call that never comes back must not hold its chat for ever; the next one has the same id. */
const CALL_MS = 5 * 60_000;

type Entry = { type: 'message'; id: string } | { type: 'settled'; settled: Settled };

interface Chat {
  channelType: string;
  /** What an attempt came to, while it can't be written down: it is not made again. */
  unwritten: { id: string; result: DeliveryResult } | undefined;
  entries: Entry[];
  running: boolean;
  waiting: boolean;
  timer: NodeJS.Timeout | undefined;
}

export function createDelivery(parts: DeliveryParts): DeliveryQueue {
  const { db, deliveries, log } = parts;
  const chats = new Map<string, Chat>();
  const running = new Set<Promise<void>>();
  /** How often each channel has said that it is back. */
  const comebacks = new Map<string, number>();
  const putOff = new Set<NodeJS.Timeout>();
  const rates = createRates();
  /** Those that wait for their place in a rate. */
  const resting = new Set<() => void>();
  let stopped = false;

  function chatOf(channelType: string, platformId: string): [string, Chat] {
    const key = `${channelType}\n${platformId}`;
    let chat = chats.get(key);
    if (!chat) {
      chat = { channelType, unwritten: undefined, entries: [], running: false, waiting: false, timer: undefined };
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
      else if (!(await deliverOne(chat, entry.id))) return;
      chat.entries.shift();
    }
  }

  function tell({ channel_type, platform_id, platformMessageId, outcome }: Settled): void {
    if (channel_type === null || platform_id === null || platformMessageId === null || outcome === 'context') return;
    parts.adapter(channel_type)?.settled?.(platform_id, platformMessageId, outcome satisfies Outcome);
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
    const done = note(chat, delivery, result, Math.round(performance.now() - begun));
    chat.unwritten = undefined;
    // It came back while it was away: nobody will say so again.
    const offline = result.status === 'failed' && result.offline;
    if (offline && comebacks.get(chat.channelType) !== seen) chat.waiting = false;
    return done;
  }

  async function send(chat: Chat, delivery: Delivery, platformId: string): Promise<DeliveryResult> {
    const adapter = parts.adapter(chat.channelType);
    if (adapter) return attempt(adapter, delivery, platformId);
    if (parts.isKnown?.(chat.channelType) === false) {
      return { status: 'failed', retryable: false, error: `There is no channel ${chat.channelType}.` };
    }
    return { status: 'failed', retryable: true, offline: true, error: 'The channel is not there.' };
  }

  async function attempt(adapter: ChannelAdapter, delivery: Delivery, platformId: string): Promise<DeliveryResult> {
    const content = readContent(delivery.messageId, delivery.content);
    const folder = join(parts.scratch, delivery.messageId);
    const { files, problems } = await collect(delivery, content.files ?? [], folder, adapter);
    const text = [content.text, ...problems.map((problem) => `⚠️ ${problem}`)].filter((part) => part !== '').join('\n');
    try {
      const edit = editOf(content, adapter);
      if (edit) {
        const result = await call(adapter, delivery, { ...message(edit.text, 0, true), ...edit });
        // Made twice, it is the same; one that is too old to be changed is said once more instead.
        if (result.status === 'unknown') return { status: 'failed', retryable: true, error: result.error };
        if (result.status === 'sent' || result.retryable) return result;
      }
      return await sayAll();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }

    /** From where an earlier try has come to. */
    async function sayAll(): Promise<DeliveryResult> {
      const { idempotencyKey = false, maxTextLength, textUnit: unit = 'utf16' } = adapter.capabilities;
      const mark = delivery.unknowns > 0 && !idempotencyKey ? REPEAT_MARK : '';
      for (let said = delivery.said; ; ) {
        const marked = said === delivery.said ? mark : '';
        const part = nextPart(text, said, { length: maxTextLength - marked.length, unit });
        const isLast = !part || nextPart(text, part.end, { length: maxTextLength, unit }) === undefined;
        const result = await call(adapter, delivery, message(marked + (part?.text ?? ''), said, isLast));
        if (result.status === 'unknown') {
          const stands = part?.text.slice(0, result.sent ?? 0) ?? '';
          return { ...result, sent: text.startsWith(stands, said) ? said + stands.length : said };
        }
        if (result.status !== 'sent' || isLast) return result;
        said = part.end;
        transaction(db, () => deliveries.said(delivery.messageId, said, Date.now()));
      }
    }

    /** Each part has an id of its own, the same at every try; buttons and files come with the last. */
    function message(own: string, from: number, isLast: boolean): OutboundMessage {
      return {
        id: from === 0 ? delivery.messageId : `${delivery.messageId}.${from}`,
        platformId,
        threadId: delivery.thread_id,
        text: own,
        progress: content.progress ?? false,
        files: isLast ? files : [],
        ...(delivery.inReplyTo !== null && { inReplyTo: delivery.inReplyTo }),
        ...(isLast && content.card && adapter.capabilities.buttons && { card: cardFor(content.card, from, own) }),
      };
    }
  }

  /** One message at the platform, at the pace that it asks for. */
  async function call(adapter: ChannelAdapter, delivery: Delivery, message: OutboundMessage): Promise<DeliveryResult> {
    const { channelType, capabilities } = adapter;
    const chat = `${channelType}\n${message.platformId}`;
    const { rate = {}, idempotencyKey = false } = capabilities;
    const now = performance.now();
    const waits = [
      rates.held(channelType, now),
      rate.chat ? rates.take(chat, rate.chat, now) : 0,
      rate.account ? rates.take(channelType, rate.account, now) : 0,
    ];
    if (Math.max(...waits) > 0) await rest(Math.max(...waits));
    if (stopped) return { status: 'failed', retryable: true, offline: true, error: 'The host is stopping.' };
    // Under a key a queued row and a sending one are treated alike, so that a power cut may take it back.
    faultPoint('delivery.preparing');
    (idempotencyKey ? quickTransaction : transaction)(db, () => deliveries.sending(delivery.messageId, Date.now()));
    faultPoint('delivery.sending');
    const result = await within(CALL_MS, adapter.deliver(message)).catch(
      (error: unknown): DeliveryResult => ({ status: 'failed', retryable: true, error: errorText(error) }),
    );
    if (result.status === 'failed' && result.account && result.retryAfterMs) {
      rates.hold(channelType, performance.now() + result.retryAfterMs);
    }
    return result;
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1));
      resting.add(end);
    });
  }

  /** What an earlier message becomes, where it is there and can be changed. */
  function editOf({ edits }: HostOut, adapter: ChannelAdapter): Pick<OutboundMessage, 'text' | 'edits'> | undefined {
    const sentAs = edits && adapter.capabilities.edits ? deliveries.sentAs(edits.message) : undefined;
    return edits && sentAs !== undefined ? { text: edits.text, edits: sentAs } : undefined;
  }

  async function collect(delivery: Delivery, names: readonly string[], folder: string, adapter: ChannelAdapter) {
    const { maxFileBytes = 0 } = adapter.capabilities;
    const files: OutboundFile[] = [];
    const problems: string[] = [];
    // Of all files of a message together: a sparse file costs its maker nothing.
    let left = MAX_ATTACHMENT_BYTES;
    const box = delivery.sessionId === null ? undefined : parts.boxOf(delivery.sessionId);
    if (names.length > 0) mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of new Set(names)) {
      const result = box
        ? await takeOut(box, agentsId(delivery.messageId), name, folder, left)
        : { error: 'its session is gone' };
      if ('error' in result) problems.push(`The file ${name} could not be sent: ${result.error}`);
      else if (result.size > maxFileBytes)
        problems.push(`The file ${name} could not be sent: ${tooLarge(maxFileBytes)}.`);
      else {
        files.push(result);
        left -= result.size;
      }
    }
    return { files, problems };
  }

  function note(chat: Chat, before: Delivery, result: DeliveryResult, ms: number): boolean {
    const { messageId: id, sessionId: session, inReplyTo } = before;
    // Parts of it may have been said since.
    const delivery = deliveries.get(id) ?? before;
    const attempts = Math.max(delivery.attempts, 1);
    const fields = { session, messageId: id, inReplyTo, attempt: attempts, ms };
    const now = Date.now();
    if (result.status === 'sent') {
      transaction(db, () => deliveries.sent(id, result.platformMessageId, now));
      faultPoint('delivery.noted');
      log.info('sent', { ...fields, platformMessageId: result.platformMessageId });
      finish(delivery);
      return true;
    }
    // Platforms' libraries put whole addresses into their errors, with the token in them.
    const error = log.redact(result.error);
    const backoff = Math.min(BACKOFF_MS * 2 ** (attempts - 1), LONGEST_BACKOFF_MS);
    if (result.status === 'unknown') {
      const hasKey = parts.adapter(chat.channelType)?.capabilities.idempotencyKey ?? false;
      if (hasKey ? attempts < RETRIES : delivery.unknowns === 0) {
        transaction(db, () => deliveries.doubt(id, error, result.sent ?? delivery.said, now + backoff, now));
        log.warn('nobody knows whether it arrived', { ...fields, error });
        return pause(chat, backoff);
      }
      return giveUp(delivery, `Nobody knows whether it arrived. ${error}`, fields);
    }
    const counted = !result.offline;
    const most = result.retryAfterMs === undefined ? RETRIES : RATE_LIMITED_RETRIES;
    if (result.retryable && (!counted || attempts < most)) {
      const delay = Math.max(result.retryAfterMs === undefined ? backoff : BACKOFF_MS, result.retryAfterMs ?? 0);
      transaction(db, () => deliveries.again(id, error, counted ? now + delay : null, counted, now));
      log.info('delivery waits', { ...fields, error, offline: !counted });
      if (counted) return pause(chat, delay);
      chat.waiting = true;
      return false;
    }
    return giveUp(delivery, error, fields);
  }

  function giveUp(delivery: Delivery, error: string, fields: LogFields): true {
    const after = transaction(db, () => {
      deliveries.failed(delivery.messageId, error, Date.now());
      return parts.onUndeliverable(delivery, error);
    });
    log.warn('delivery given up', { ...fields, error });
    enqueue(after);
    finish(delivery);
    return true;
  }

  function finish(delivery: Delivery): void {
    if (delivery.sessionId === null) return;
    const box = parts.boxOf(delivery.sessionId);
    if (box && readContent(delivery.messageId, delivery.content).files?.length) {
      dropOutbox(box, agentsId(delivery.messageId)).catch((error: unknown) =>
        log.warn('an outbox folder stays', { messageId: delivery.messageId, error }),
      );
    }
    parts.onDelivered(delivery.sessionId);
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
      for (const end of resting) end();
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.all(running), grace]);
      clearTimeout(timer);
    },
  };
}

async function within(ms: number, call: Promise<DeliveryResult>): Promise<DeliveryResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DeliveryResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'unknown', error: 'no answer in time' }), ms);
    timer.unref();
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}

function tooLarge(maxBytes: number): string {
  return maxBytes === 0 ? 'no files can be sent here' : `here it may have ${Math.floor(maxBytes / 1e6)} MB at most`;
}

/** What stands above its buttons is no longer than the part that they come with. */
function cardFor(card: Card, from: number, part: string): Card {
  return from === 0 ? card : { ...card, title: '', body: part };
}
