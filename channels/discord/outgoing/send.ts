import { openAsBlob } from 'node:fs';
import { z } from 'zod';
import type { DeliveryResult, OutboundFile, OutboundMessage } from '../../../src/channels/adapter.ts';
import { Lost } from '../../http/lost.ts';
import type { Keep } from '../keep.ts';
import { type Api, type CallOptions, Refusal } from '../rest/api.ts';
import { outcomeOf, sentenceOf } from '../rest/outcome.ts';
import { isSnowflake, snowflakeAt } from '../snowflake.ts';
import { rowsOf, wordsOf } from './components.ts';
import { toDiscord } from './markdown.ts';
import { createSendings } from './sendings.ts';

/** Puts one message of the host's into a channel: its text and files in one, where they fit. */

export const MAX_TEXT = 2_000;
export const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 10;
/** On a slow line. */
const FILE_MS = 240_000;

/** Links show no preview, which would tell their address to somebody else. */
const NO_PREVIEWS = 1 << 2;
const SILENT = 1 << 12;
/** Nobody is called by what an agent writes. */
const NOBODY = { parse: [] };
const GONE = 10_003;

const Sent = z.object({ id: z.string() });
const Found = z.object({
  id: z.string(),
  content: z.string(),
  nonce: z.union([z.string(), z.number()]).optional(),
  author: z.object({ id: z.string() }),
  attachments: z.array(z.unknown()),
});

export interface SenderParts {
  api: Api;
  keep: Keep;
  /** The bot's own user; undefined before it is known. */
  botId(): string | undefined;
  isConnected(): boolean;
}

interface Step {
  content: string;
  files: readonly OutboundFile[];
  components?: readonly object[];
}

export function createSender({ api, keep, botId, isConnected }: SenderParts) {
  const sendings = createSendings(keep);

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    try {
      const id = message.edits === undefined ? await sendAll(message) : await edit(message, message.edits);
      return { status: 'sent', platformMessageId: id };
    } catch (error) {
      return outcomeOf(error, isConnected(), message.edits !== undefined);
    }
  }

  /** Returns Discord's id of what says the text. */
  async function sendAll(message: OutboundMessage): Promise<string> {
    const [first, ...rest] = stepsOf(message);
    if (!first) throw new Refusal(400, 0, 'there is nothing to send');
    const id = await post(message, first, 0);
    for (const [index, step] of rest.entries()) await postOrSay(message, step, index + 1);
    return id;
  }

  /** What went before stands there already: files that are refused for good are no reason to call that undelivered. */
  async function postOrSay(message: OutboundMessage, step: Step, index: number): Promise<void> {
    try {
      await post(message, step, index);
    } catch (error) {
      if (!(error instanceof Refusal && (error.status === 400 || error.status === 413))) throw error;
      const names = step.files.map(({ name }) => name).join(', ');
      const content = `⚠️ ${names} could not be sent. ${sentenceOf(error)}`.slice(0, MAX_TEXT).toWellFormed();
      await post(message, { content, files: [] }, index, 'said');
    }
  }

  async function post(message: OutboundMessage, step: Step, index: number, as = 'sent'): Promise<string> {
    const { id, platformId, threadId } = message;
    const inPlace = (channel: string) =>
      sendings.once(
        `${id}#${index}#${as}`,
        (nonce) => create(channel, step, { nonce, ...(index === 0 && answering(message)) }, message.progress),
        (since) => find(channel, step, since),
      );
    try {
      return await inPlace(channelOf(threadId ?? platformId));
    } catch (error) {
      // A thread that is gone has no other place than its channel.
      if (threadId === null || !(error instanceof Refusal) || error.code !== GONE) throw error;
      return await inPlace(channelOf(platformId));
    }
  }

  async function create(channel: string, step: Step, more: object, isSilent: boolean): Promise<string> {
    const { content, components, files } = step;
    const flags = NO_PREVIEWS | (isSilent ? SILENT : 0);
    const fixed = { enforce_nonce: true, allowed_mentions: NOBODY, flags };
    const body = { content, ...fixed, ...(components && { components }), ...more };
    const options: CallOptions = { body };
    if (files.length > 0) {
      options.timeoutMs = FILE_MS;
      options.files = await Promise.all(
        files.map(async ({ name, path }) => ({ name: plainName(name), content: await openAsBlob(path) })),
      );
    }
    const { id } = await api.call('POST', `/channels/${channel}/messages`, Sent, options);
    return id;
  }

  /** One of ours that says the same, of which we don't know yet. */
  async function find(channel: string, { content, files }: Step, since: number): Promise<string | undefined> {
    const path = `/channels/${channel}/messages?limit=100&after=${snowflakeAt(since - 2_000)}`;
    const messages = await api.call('GET', path, z.array(Found)).catch((error: unknown) => {
      // Nothing was sent by asking.
      throw error instanceof Lost ? new Lost(error.message, true) : error;
    });
    const isIt = (one: z.infer<typeof Found>) =>
      one.author.id === botId() && one.content === content.trim() && one.attachments.length === files.length;
    return messages.find((one) => isIt(one) && !sendings.isKnown(one.id))?.id;
  }

  async function edit(message: OutboundMessage, edits: string): Promise<string> {
    const [step] = stepsOf({ ...message, files: [] });
    if (!isSnowflake(edits) || !step) throw new Refusal(404, 10_008, 'there is no such message');
    if (step.content.length > MAX_TEXT) throw new Refusal(400, 0, 'the text is too long for an edit');
    const channel = channelOf(message.threadId ?? message.platformId);
    // Without rows the old buttons go.
    const body = { content: step.content, components: step.components ?? [], allowed_mentions: NOBODY };
    await api.call('PATCH', `/channels/${channel}/messages/${edits}`, Sent, { body });
    return edits;
  }

  return { deliver };
}

export function channelOf(id: string): string {
  if (!isSnowflake(id)) throw new Refusal(404, GONE, `${id} is no channel of Discord’s`);
  return id;
}

/** The text, its buttons, and as many of the files as one message takes; then the rest of them. */
function stepsOf(message: OutboundMessage): Step[] {
  const [first = [], ...rest] = parcelsOf(message.files);
  const steps = [{ ...spoken(message), files: first }, ...rest.map((files) => ({ content: '', files }))];
  return steps.filter(({ content, files }) => content.trim() !== '' || files.length > 0);
}

function spoken({ text, card }: OutboundMessage): Pick<Step, 'content' | 'components'> {
  const components = card && rowsOf(card);
  const shown = card && components ? wordsOf(card) : toDiscord(text);
  // What grew too long by its form is said without.
  return { content: shown.length <= MAX_TEXT ? shown : text, ...(components && { components }) };
}

/** An answer shows what it answers, and calls who asked: that one alone. */
function answering({ quotes, progress }: OutboundMessage): object | undefined {
  if (quotes === undefined || !isSnowflake(quotes)) return undefined;
  return {
    message_reference: { message_id: quotes, fail_if_not_exists: false },
    allowed_mentions: { ...NOBODY, replied_user: !progress },
  };
}

/** On one line: a name goes into a head of the request. */
function plainName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Discord takes ten files at once, together no larger than it lets one be. */
function parcelsOf(files: readonly OutboundFile[]): OutboundFile[][] {
  const parcels: OutboundFile[][] = [];
  let size = 0;
  for (const file of files) {
    const last = parcels.at(-1);
    if (last && last.length < MAX_FILES && size + file.size <= MAX_FILE_BYTES) {
      last.push(file);
      size += file.size;
    } else {
      parcels.push([file]);
      size = file.size;
    }
  }
  return parcels;
}
