import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import { nextPart } from '../../channels/text/split.ts';
import type { Card, ChannelAdapter, DeliveryResult, OutboundMessage } from '../channels/adapter.ts';
import { agentsId, type Deliveries, type Delivery } from '../db/deliveries.ts';
import { quickTransaction, transaction } from '../db/group-commit.ts';
import type { Drafting } from '../drafting.ts';
import { type HostOut, isNote, readContent } from '../take-over/content.ts';
import { collectFiles } from './files.ts';
import type { Pace } from './pace.ts';

/** One try at a delivery: its parts, its files, its card, or what it makes of an earlier message. */

/** Where a platform can't tell one message from the same one once more, a person can. */
const REPEAT_MARK = '(possibly a repeat)\n';

/** `away`: nothing was tried, and nothing noted. */
export type Tried = DeliveryResult | { status: 'away'; error: string };

export interface AttemptParts {
  db: DatabaseSync;
  deliveries: Deliveries;
  drafts?(): Drafting;
  pace: Pace;
  boxOf(sessionId: string): string | undefined;
  scratch: string;
}

export type Attempt = (adapter: ChannelAdapter, delivery: Delivery, platformId: string) => Promise<Tried>;

export function createAttempt({ db, deliveries, drafts, pace, boxOf, scratch }: AttemptParts): Attempt {
  async function attempt(adapter: ChannelAdapter, delivery: Delivery, platformId: string): Promise<Tried> {
    const content = readContent(delivery.messageId, delivery.content);
    if (content.reacts) return react(adapter, delivery, platformId, content.reacts.emoji);
    if (content.draft) return show(adapter, delivery, content.text);
    // A question that has its answer is asked of nobody who comes later; what it came to is.
    const isFresh = delivery.said === 0 && delivery.unknowns === 0 && content.edits === undefined;
    if (content.card && isFresh && deliveries.isClosed(delivery.messageId)) return { status: 'sent' };
    const folder = join(scratch, delivery.messageId);
    const { files, problems } = await collectFiles(
      delivery.sessionId === null ? undefined : boxOf(delivery.sessionId),
      agentsId(delivery.messageId),
      content.files ?? [],
      folder,
      adapter.capabilities.maxFileBytes,
    );
    const text = [content.text, ...problems.map((problem) => `⚠️ ${problem}`)].filter((part) => part !== '').join('\n');
    const { idempotencyKey = false, maxTextLength, textUnit: unit = 'utf16', buttons } = adapter.capabilities;
    try {
      const place = placeFor(adapter, delivery, content);
      if (place === undefined) return await anew();
      return await sayAll((place.isWhole ? content.edits?.text : undefined) ?? text, place.id);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }

    /** A change may have nothing to say where it can't be made. */
    async function anew(): Promise<Tried> {
      return content.edits && text === '' ? { status: 'sent' } : sayAll(text);
    }

    /** From where an earlier try has come to; the first part takes the place of an earlier message, where there is one. */
    async function sayAll(words: string, place?: string): Promise<Tried> {
      const mark = delivery.unknowns > 0 && !idempotencyKey ? REPEAT_MARK : '';
      for (let said = delivery.said; ; ) {
        const edits = said === 0 ? place : undefined;
        const marked = said === delivery.said && edits === undefined ? mark : '';
        const part = nextPart(words, said, { length: maxTextLength - marked.length, unit });
        const isEnd = !part || nextPart(words, part.end, { length: maxTextLength, unit }) === undefined;
        // Into what stands there no file can be put: they follow.
        const isLast = isEnd && (edits === undefined || files.length === 0);
        const own = message(marked + (part?.text ?? ''), said, isLast);
        // Said on the way as it may be: where a message stands, it stays.
        const sends = edits === undefined ? own : { ...own, edits, progress: false };
        const result = await call(adapter, delivery, () => adapter.deliver(sends));
        if (edits !== undefined) {
          if (result.status === 'unknown') return again(result);
          // One that is too old to be changed is said anew instead.
          if (result.status === 'failed' && !result.retryable) return anew();
        }
        if (result.status === 'unknown') {
          const stands = part?.text.slice(0, result.sent ?? 0) ?? '';
          return { ...result, sent: words.startsWith(stands, said) ? said + stands.length : said };
        }
        if (result.status !== 'sent') return result;
        if (isLast) return edits === undefined ? result : { ...result, platformMessageId: edits };
        said = part?.end ?? words.length;
        transaction(db, () => deliveries.said(delivery.messageId, said, Date.now()));
      }
    }

    /** Each part has an id of its own, the same at every try; buttons and files come with the last. */
    function message(own: string, from: number, isLast: boolean): OutboundMessage {
      const progress = content.progress ?? false;
      const { agentName } = delivery;
      // The host asks an agent's questions for it.
      const isAgents = agentName !== null && (!isNote(delivery.messageId) || content.card !== undefined);
      const quotes = from === 0 && !progress ? deliveries.quotes(delivery.messageId) : undefined;
      return {
        id: from === 0 ? delivery.messageId : `${delivery.messageId}.${from}`,
        platformId,
        threadId: delivery.thread_id,
        text: own,
        progress,
        files: isLast ? files : [],
        ...(delivery.inReplyTo !== null && { inReplyTo: delivery.inReplyTo }),
        ...(isAgents && { speaker: agentName }),
        ...(quotes !== undefined && { quotes }),
        ...(isLast && content.card && buttons && { card: cardFor(content.card, from, own) }),
      };
    }
  }

  async function show(adapter: ChannelAdapter, delivery: Delivery, text: string): Promise<Tried> {
    const message = drafts?.().begins(adapter, delivery, text);
    if (!message) return refused(LET_GO);
    if (delivery.unknowns > 0) return call(adapter, delivery, () => adapter.deliver(message));
    // What it becomes must not wait because of it.
    return pace.hasRoom(adapter, message.platformId)
      ? begin(adapter, delivery, () => adapter.deliver(message))
      : refused(LET_GO);
  }

  async function react(adapter: ChannelAdapter, delivery: Delivery, platformId: string, emoji: string): Promise<Tried> {
    const { react } = adapter;
    const on = delivery.about === null ? undefined : deliveries.sentAs(delivery.about);
    if (!react || !adapter.capabilities.reactions) return refused('No reactions can be shown here.');
    if (on === undefined) return refused('That message does not stand in the chat.');
    const result = await call(adapter, delivery, () => react(platformId, delivery.thread_id, on, emoji));
    return result.status === 'unknown' ? again(result) : result;
  }

  async function call(
    adapter: ChannelAdapter,
    delivery: Delivery,
    work: () => Promise<DeliveryResult>,
  ): Promise<Tried> {
    return (await pace.turn(adapter, delivery.platform_id ?? '')) ? begin(adapter, delivery, work) : AWAY;
  }

  function begin(adapter: ChannelAdapter, delivery: Delivery, work: () => Promise<DeliveryResult>): Promise<Tried> {
    // Under a key a queued row and a sending one are treated alike, so that a power cut may take it back.
    faultPoint('delivery.preparing');
    const commit = adapter.capabilities.idempotencyKey ? quickTransaction : transaction;
    commit(db, () => deliveries.sending(delivery.messageId, Date.now()));
    faultPoint('delivery.sending');
    return pace.call(adapter, work);
  }

  /**
   * The platform's id of what this replaces, where it is there and can be changed. What came in several messages can't; but of
   * a card of the host's own the last one, with the buttons, says in a line how it ended.
   */
  function placeFor(adapter: ChannelAdapter, { about, messageId }: Delivery, { edits }: HostOut) {
    // What an agent names was looked up when its row was taken over.
    const replaced = about ?? (isNote(messageId) ? edits?.message : undefined);
    if (replaced === undefined || !adapter.capabilities.edits) return undefined;
    const isWhole = deliveries.isWhole(replaced);
    const id = about === null || isWhole ? deliveries.sentAs(replaced) : undefined;
    return id === undefined ? undefined : { id, isWhole };
  }

  return attempt;
}

const LET_GO = 'It is let go.';
const AWAY = { status: 'away', error: 'The host is stopping.' } as const;

/** Made twice, it is the same. */
function again({ error }: { error: string }): DeliveryResult {
  return { status: 'failed', retryable: true, error };
}

function refused(error: string): DeliveryResult {
  return { status: 'failed', retryable: false, error };
}

/** What stands above its buttons is no longer than the part that they come with. */
function cardFor(card: Card, from: number, part: string): Card {
  return from === 0 ? card : { ...card, title: '', body: part };
}
