import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { DeliveryResult, OutboundFile, OutboundMessage } from '../../src/channels/adapter.ts';
import type { Logger } from '../../src/log/index.ts';
import { type Api, type Fields, Refusal } from './api.ts';
import { blocksOf } from './blocks.ts';
import { createDoubts } from './doubts.ts';
import { nameOf } from './emoji.ts';
import { escapeText, toMrkdwn } from './mrkdwn.ts';
import { isAuth, isRateLimit, outcomeOf } from './outcome.ts';

/** What the host says, by the Web API: one message, one change, or one share of files. */

export interface SenderParts {
  api: Api;
  log: Logger;
  isConnected(): boolean;
  /** The thread of a private chat that the answered message was in: Slack has them there too, the host hasn't. */
  threadOf(message: OutboundMessage): string | undefined;
  /** The bot's own id, once it is known. */
  botUserId(): string | undefined;
}

/** More than this Slack advises against, refuses in an edit, and may show as several messages. */
export const MAX_TEXT = 4_000;
export const MAX_FILE_BYTES = MAX_ATTACHMENT_BYTES;
/** Slack's own advice for messages that change while they are written. */
const EDIT_MS = 3_000;
const KEPT = 500;
/** A thread that can't be answered in any more, because its first message is gone. */
const NO_THREAD = new Set(['thread_not_found', 'invalid_thread_ts', 'cannot_reply_to_message', 'message_not_found']);
const NO_BLOCKS = new Set(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long']);

const Sent = z.object({ ts: z.string() });
const Upload = z.object({ upload_url: z.string(), file_id: z.string() });

export function createSender({ api, log, isConnected, threadOf, botUserId }: SenderParts) {
  const doubts = createDoubts(api, botUserId, log);
  /** What stands there of messages whose files are still to come. */
  const said = new Map<string, string>();
  const editedAt = new Map<string, number>();

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    try {
      const ts = await send(message);
      said.delete(message.id);
      return { status: 'sent', ...(ts !== undefined && { platformMessageId: ts }) };
    } catch (error) {
      return outcomeOf(error, isConnected());
    }
  }

  async function send(message: OutboundMessage): Promise<string | undefined> {
    const { edits, files } = message;
    if (edits !== undefined) return edit(message, edits);
    if (files.length === 0) return post(message);
    // Nothing of an upload is seen before it is shared.
    const { ids, problems } = await upload(files);
    const text = [message.text, ...problems].filter((part) => part.trim() !== '').join('\n');
    const comment = toMrkdwn(text);
    if (ids.length === 0) return post({ ...message, text });
    if (!message.card && comment.length <= MAX_TEXT) return share(message, ids, comment);
    const ts = said.get(message.id) ?? (await post({ ...message, text }));
    note(said, message.id, ts);
    await share(message, ids, '');
    return ts;
  }

  async function post(message: OutboundMessage): Promise<string> {
    const { id, platformId: channel, text, card } = message;
    const found = await doubts.find(id);
    if (found !== undefined) {
      log.info('it stands there already', { id, ts: found });
      doubts.sent(id, channel, found);
      return found;
    }
    const fields = { channel, text: toMrkdwn(text), unfurl_links: false, unfurl_media: false };
    const blocks = card ? { blocks: blocksOf(card) } : {};
    const { ts } = await inThread(message, (thread_ts) =>
      withBlocks(blocks, (built) => api.call('chat.postMessage', { ...fields, ...built, thread_ts }, Sent)),
    ).catch((error: unknown) => {
      const isDoubtful = outcomeOf(error, true).status === 'unknown';
      if (isDoubtful) doubts.note(id, { channel, thread: message.threadId ?? threadOf(message), text: fields.text });
      throw error;
    });
    doubts.sent(id, channel, ts);
    return ts;
  }

  async function edit({ platformId: channel, text, card }: OutboundMessage, ts: string): Promise<string> {
    const formatted = toMrkdwn(text);
    const shown = formatted.length <= MAX_TEXT ? formatted : escapeText(text);
    if (shown.length > MAX_TEXT) throw new Refusal('msg_too_long');
    const key = `${channel} ${ts}`;
    await sleep(Math.max(0, (editedAt.get(key) ?? Number.NEGATIVE_INFINITY) + EDIT_MS - performance.now()));
    note(editedAt, key, performance.now());
    // Without blocks the old ones would stay.
    const blocks = { blocks: card ? blocksOf(card) : [] };
    await withBlocks(blocks, (built) => api.call('chat.update', { channel, ts, text: shown, ...built }, Sent));
    return ts;
  }

  /** In words alone, where Slack doesn't take the buttons: the text says how to answer. */
  async function withBlocks<T>(blocks: Fields, run: (blocks: Fields) => Promise<T>): Promise<T> {
    try {
      return await run(blocks);
    } catch (error) {
      if (!(error instanceof Refusal && NO_BLOCKS.has(error.code))) throw error;
      log.warn('blocks were refused', { error: error.message });
      return await run('blocks' in blocks ? { blocks: [] } : {});
    }
  }

  async function inThread<T>(message: OutboundMessage, run: (thread: string | undefined) => Promise<T>): Promise<T> {
    const thread = message.threadId ?? threadOf(message);
    try {
      return await run(thread);
    } catch (error) {
      if (thread === undefined || !(error instanceof Refusal && NO_THREAD.has(error.code))) throw error;
      // A thread that is gone has no other place than its chat.
      return await run(undefined);
    }
  }

  async function upload(files: readonly OutboundFile[]) {
    const ids: string[] = [];
    const problems: string[] = [];
    for (const { name, path, size } of files) {
      try {
        if (size > MAX_FILE_BYTES) throw new Refusal('file_too_large');
        const content = await openAsBlob(path).catch(() => {
          throw new Refusal('file_is_gone');
        });
        const fields = { filename: name.replace(/[\r\n]+/g, ' '), length: size };
        const { upload_url, file_id } = await api.call('files.getUploadURLExternal', fields, Upload);
        await api.upload(upload_url, content);
        ids.push(file_id);
      } catch (error) {
        if (!(error instanceof Refusal) || isAuth(error) || outcomeOf(error, true).status === 'unknown') throw error;
        if (isRateLimit(error) || error.code === 'service_unavailable') throw error;
        problems.push(`⚠️ The file ${name} could not be sent: ${error.code.replaceAll('_', ' ')}.`);
      }
    }
    return { ids, problems };
  }

  async function share(message: OutboundMessage, ids: readonly string[], comment: string): Promise<string | undefined> {
    const fields = { channel_id: message.platformId, files: ids.map((id) => ({ id })) };
    const words = comment === '' ? {} : { initial_comment: comment };
    const answer = await inThread(message, (thread_ts) =>
      api.call('files.completeUploadExternal', { ...fields, ...words, thread_ts }, z.unknown()),
    );
    return sharedAs(answer, message.platformId);
  }

  async function react(channel: string, timestamp: string, emoji: string): Promise<DeliveryResult> {
    const name = nameOf(emoji);
    if (name === undefined) return { status: 'failed', retryable: false, error: `Slack has no reaction ${emoji}.` };
    try {
      await api.call('reactions.add', { channel, timestamp, name }, z.unknown());
      return { status: 'sent' };
    } catch (error) {
      if (error instanceof Refusal && error.code === 'already_reacted') return { status: 'sent' };
      const outcome = outcomeOf(error, isConnected());
      // Set twice, it is set.
      return outcome.status === 'unknown' ? { status: 'failed', retryable: true, error: outcome.error } : outcome;
    }
  }

  return { deliver, react };
}

const Shared = z.looseObject({
  files: z.array(
    z.looseObject({
      shares: z.record(z.string(), z.record(z.string(), z.array(z.looseObject({ ts: z.string() })))).optional(),
    }),
  ),
});

/** The message that the files stand in, where Slack says so at once. */
function sharedAs(answer: unknown, channel: string): string | undefined {
  const [first] = Shared.safeParse(answer).data?.files ?? [];
  return Object.values(first?.shares ?? {}).flatMap((by) => by[channel] ?? [])[0]?.ts;
}

function note<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KEPT && oldest !== undefined) map.delete(oldest);
}
