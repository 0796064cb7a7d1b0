import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isoTime } from '@nanoclaw/protocol';
import {
  Actions,
  type AdapterPostableMessage,
  type Attachment,
  Button,
  Card,
  CardText,
  type Logger,
  type Message,
} from 'chat';
import type { ChannelHost, DeliveryResult, InboundAttachment, OutboundMessage } from '../../src/channels/adapter.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import type { Logger as HostLogger } from '../../src/log/index.ts';
import { type AnyAdapter, Codec, isAdapter } from './codec.ts';
import { tidy } from './names.ts';
import { outcomeOf } from './outcome.ts';

/** An adapter of the Chat SDK as a channel of ours: what it reads goes to the host, what the host says goes out by it. */

export interface BridgeParts {
  /** The account, and the platform that its users' ids begin with: `discord-work`, `discord`. */
  channelType: string;
  platform: string;
  adapter: AnyAdapter;
  /** The chat and thread of one of the adapter's thread ids, and back. */
  placeOf(threadId: string): { platformId: string; threadId: string | null };
  threadIdOf(platformId: string, threadId: string | null): string;
  /** A private folder for files. The SDK hands over whole files, so their size is bounded before they are asked for. */
  folder: string;
  maxFileBytes: number;
  /** Tells who pressed a button what came of it, where the platform can. */
  answer?(raw: unknown, text: string): Promise<void>;
  /** Streams a file into `folder` and returns its path, instead of the SDK, which holds it whole. */
  fetchFile?(file: Attachment): Promise<string>;
  /** What was said, where the SDK's plain text loses too much of it. */
  textOf?(said: Message): string;
  /** In a group; left out: when the adapter says so, or its name stands there with an @. */
  isMention?(said: Message): boolean;
  chatNameOf?(platformId: string): Promise<string | undefined>;
  log: HostLogger;
}

/** Why a file isn't there, in words for whoever reads the message. */
export class FileProblem extends Error {}

/** Of these the next offer would end the same. */
const LASTING = new Set(['NC_MESSAGE_TOO_LARGE', 'NC_MESSAGE_EMPTY']);

const NOTED_MS = 60_000;

export function createBridge(parts: BridgeParts) {
  const { channelType, platform, adapter, placeOf, threadIdOf, log } = parts;
  if (!isAdapter(adapter)) throw new NanoError('NC_CHANNEL', 'This is no adapter of the Chat SDK.');
  let host: ChannelHost | undefined;
  const codec = new Codec(adapter, { message, changed, deleted, action, reaction }, loggerOf(log));
  const where = (threadId: string) => ({ channelType, ...placeOf(threadId) });
  const userOf = (id: string) => `${platform}:${id}`;

  const textOf = parts.textOf ?? (({ text }: Message) => text);

  function need(): ChannelHost {
    if (!host) throw new Error('The channel has not been started.');
    return host;
  }

  async function message(threadId: string, said: Message): Promise<void> {
    const { author, id, metadata, replyTo } = said;
    if (author.isMe) return;
    const text = textOf(said);
    const isGroup = !(adapter.isDM?.(threadId) ?? false);
    const { attachments, problems } = await fetchAll(said.attachments);
    const place = where(threadId);
    const chatName = await parts.chatNameOf?.(place.platformId);
    const isMention = !isGroup || (parts.isMention?.(said) ?? (said.isMention === true || isNamed(text, adapter)));
    const acceptance = await need().accept({
      ...place,
      platformMessageId: id,
      senderId: userOf(author.userId),
      senderName: nameOf(author),
      text: [text, ...problems].filter((part) => part !== '').join('\n'),
      timestamp: isoTime(metadata.dateSent.getTime()),
      isMention,
      isGroup,
      ...(chatName !== undefined && { chatName }),
      ...(attachments.length > 0 && { attachments }),
      ...(replyTo && { replyTo: { id: replyTo.id, sender: replyTo.author.fullName, text: replyTo.text } }),
    });
    if (acceptance.status !== 'refused') return;
    log.warn('a message was refused', { code: acceptance.code, platformMessageId: id });
    if (!LASTING.has(acceptance.code)) throw new Error(`It was refused for now: ${acceptance.code}`);
    // Who didn't call the bot hears nothing of it.
    if (isMention) await adapter.postMessage(threadId, { raw: acceptance.sentence });
  }

  async function changed(threadId: string, said: Message): Promise<void> {
    const { id, author } = said;
    if (author.isMe) return;
    const change = { platformMessageId: id, senderId: userOf(author.userId), text: textOf(said) };
    await need().changed?.({ ...where(threadId), ...change });
  }

  /** By whom, platforms rarely say: it is taken for the author's. */
  async function deleted(threadId: string, platformMessageId: string, previous: Message | undefined): Promise<void> {
    if (previous?.author.isMe) return;
    const senderId = userOf(previous?.author.userId ?? 'unknown');
    await need().changed?.({ ...where(threadId), platformMessageId, senderId, text: null });
  }

  async function action({
    actionId,
    value,
    messageId,
    threadId,
    user,
    raw,
  }: Parameters<Codec['processAction']>[0]): Promise<void> {
    const text = await need().press({
      ...where(threadId),
      platformMessageId: messageId,
      senderId: userOf(user.userId),
      senderName: nameOf(user),
      data: value ?? actionId,
    });
    await parts.answer?.(raw, text);
  }

  async function reaction(event: Parameters<Codec['processReaction']>[0]): Promise<void> {
    const { added: on, messageId: platformMessageId, rawEmoji: emoji, threadId, user } = event;
    if (user.isMe) return;
    await need().reacted?.({ ...where(threadId), platformMessageId, senderId: userOf(user.userId), emoji, on });
  }

  async function fetchAll(found: readonly Attachment[]) {
    const attachments: InboundAttachment[] = [];
    const problems: string[] = [];
    for (const one of found) {
      const name = one.name ?? `${one.type}-${attachments.length + 1}`;
      try {
        const localPath = await fetchOne(one);
        attachments.push({
          type: one.type,
          name,
          localPath,
          ...(one.mimeType !== undefined && { mimeType: one.mimeType }),
        });
      } catch (error) {
        log.warn('a file was not fetched', { error: errorText(error) });
        const why = error instanceof FileProblem ? `: ${error.message}` : '';
        problems.push(`[The file ${name.slice(0, 100)} is missing${why}.]`);
      }
    }
    return { attachments, problems };
  }

  async function fetchOne(file: Attachment): Promise<string> {
    const { size = 0, data, fetchData } = file;
    if (parts.fetchFile) return parts.fetchFile(file);
    if (size > parts.maxFileBytes) throw new Error(`it has ${size} bytes`);
    const content = data instanceof Blob ? Buffer.from(await data.arrayBuffer()) : (data ?? (await fetchData?.()));
    if (!content || content.byteLength > parts.maxFileBytes) throw new Error('it is too large, or gone');
    await mkdir(parts.folder, { recursive: true, mode: 0o700 });
    const path = join(parts.folder, randomUUID());
    await writeFile(path, Buffer.from(content as ArrayBuffer), { flag: 'wx', mode: 0o600 });
    return path;
  }

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    const { platformId, threadId, edits } = message;
    const thread = threadIdOf(platformId, threadId);
    try {
      const files = await Promise.all(
        message.files.map(async ({ name, path }) => ({ filename: name, data: await openAsBlob(path) })),
      );
      const posted = postable(message, files);
      const { id } = await (edits === undefined
        ? adapter.postMessage(thread, posted)
        : adapter.editMessage(thread, edits, posted));
      return { status: 'sent', platformMessageId: edits ?? id };
    } catch (error) {
      return outcomeOf(error);
    }
  }

  return {
    receive: (request: Request) => codec.receive(request),
    /** What the adapter would note for itself, where it had better not look for it. */
    note: (key: string, value: unknown) => codec.getState().set(key, value, NOTED_MS),
    async start(channelHost: ChannelHost): Promise<void> {
      host = channelHost;
      await codec.initialize();
    },
    async stop(): Promise<void> {
      await codec.shutdown();
      host = undefined;
    },
    deliver,
    typing(platformId: string, threadId: string | null, on: boolean): void {
      if (on)
        adapter
          .startTyping(threadIdOf(platformId, threadId))
          .catch((error: unknown) => log.debug('typing was not shown', { error }));
    },
    async openDm(handle: string): Promise<string | undefined> {
      const thread = await adapter.openDM?.(handle).catch(() => undefined);
      return thread === undefined ? undefined : placeOf(thread).platformId;
    },
  };
}

function postable({ text, card }: OutboundMessage, files: { filename: string; data: Blob }[]): AdapterPostableMessage {
  if (!card) return { markdown: text, files };
  const buttons = card.buttons.map(({ data, label }) => Button({ id: data, label }));
  const children = [CardText(card.body), Actions(buttons)];
  return { card: Card({ title: card.title, children }), fallbackText: text, files };
}

function nameOf({ fullName, userName }: Message['author']): string {
  return tidy(fullName) ?? tidy(userName) ?? 'somebody';
}

/** By its name or its id, where the adapter didn't say so itself. */
function isNamed(text: string, { userName, botUserId }: AnyAdapter): boolean {
  const names = [userName, ...(botUserId === undefined ? [] : [botUserId])].map(escaped).join('|');
  return new RegExp(`(?<![\\p{L}\\p{N}_])@(?:${names})(?![\\p{L}\\p{N}_])`, 'iu').test(text);
}

function escaped(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Adapters write to the console unless they are given a log. */
function loggerOf(log: HostLogger): Logger {
  const note = (level: 'debug' | 'warn') => (message: string) => log[level](log.redact(message));
  const own: Logger = {
    child: () => own,
    debug: note('debug'),
    info: note('debug'),
    warn: note('warn'),
    error: note('warn'),
  };
  return own;
}
