import { openAsBlob } from 'node:fs';
import { z } from 'zod';
import type { Card, DeliveryResult, OutboundFile, OutboundMessage } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { type Api, type CallOptions, type Fields, Refusal } from './api.ts';
import { escapeHtml, toHtml } from './html.ts';
import { AS_DOCUMENT, sentAs } from './media.ts';
import { outcomeOf } from './outcome.ts';
import { numberOf, type Places } from './places.ts';
import { createSteps } from './steps.ts';

/** Puts one message of the host's into a chat: its text, then its files. */

export const MAX_TEXT = 4096;
export const MAX_FILE_BYTES = 50 * 1024 * 1024;
const MAX_CAPTION = 1024;
/** On a slow line. */
const FILE_MS = 240_000;

const Sent = z.object({ message_id: z.number().int(), chat: z.object({ id: z.number().int() }) });

export interface SenderParts {
  api: Api;
  places: Places;
  context: ChannelContext;
  isConnected(): boolean;
  onSent(chatId: number, messageId: number): void;
}

export function createSender({ api, places, context, isConnected, onSent }: SenderParts) {
  const steps = createSteps(context);

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    try {
      const [first, ...rest] = plan(message);
      if (!first) return { status: 'failed', retryable: false, error: 'There is nothing to send.' };
      // What an earlier try has sent already is not sent again.
      const id = await steps.once(message.id, 0, first, rest.length > 0);
      for (const [index, step] of rest.entries()) await steps.once(message.id, index + 1, step, true);
      if (rest.length > 0) steps.forget(message.id);
      return { status: 'sent', platformMessageId: id };
    } catch (error) {
      return outcomeOf(error, isConnected());
    }
  }

  function plan(message: OutboundMessage): (() => Promise<string>)[] {
    const { text, files, edits, card } = message;
    const [only] = files;
    if (only && files.length === 1 && edits === undefined && !card && text.length <= MAX_CAPTION) {
      return [() => (text.trim() === '' ? sendFile(message, only, '') : sendOrSay(message, only, text))];
    }
    const says = text.trim() !== '' || card;
    const { quotes: _, ...follows } = message;
    return [
      ...(says ? [() => (edits === undefined ? sendText(message) : edit(message, edits))] : []),
      ...files.map((file, index) => () => (says || index > 0 ? sendOrSay(follows, file) : sendFile(message, file, ''))),
    ];
  }

  /** Its text can be said, or stands in the chat already: a file that is refused for good is no reason to call that undelivered. */
  async function sendOrSay(message: OutboundMessage, file: OutboundFile, caption = ''): Promise<string> {
    try {
      return await sendFile(message, file, caption);
    } catch (error) {
      if (!(error instanceof Refusal && (error.code === 400 || error.code === 413))) throw error;
      const text = `⚠️ The file ${file.name} could not be sent: Telegram refuses it (${error.message}).`;
      return sendText(bare(message, [caption, text].filter((part) => part !== '').join('\n')));
    }
  }

  function sendText(message: OutboundMessage): Promise<string> {
    const fields = { ...written(message), ...keyboard(message.card), link_preview_options: { is_disabled: true } };
    return post(message, 'sendMessage', fields);
  }

  async function edit(message: OutboundMessage, edits: string): Promise<string> {
    const messageId = numberOf(edits);
    if (messageId === undefined) throw new Refusal(400, 'there is no such message');
    if (message.text.length > MAX_TEXT) throw new Refusal(400, 'the text is too long for an edit');
    const fields = {
      ...written(message),
      ...keyboard(message.card),
      message_id: messageId,
      link_preview_options: { is_disabled: true },
    };
    try {
      // Without a keyboard the old one goes.
      await plainly('editMessageText', { ...fields, chat_id: places.target(message.platformId) }, z.unknown());
    } catch (error) {
      if (!(error instanceof Refusal && /message is not modified/i.test(error.message))) throw error;
    }
    return edits;
  }

  async function sendFile(message: OutboundMessage, file: OutboundFile, caption: string): Promise<string> {
    if (file.size > MAX_FILE_BYTES) {
      const text = `⚠️ The file ${file.name} could not be sent: a bot may send at most 50 MB.`;
      return sendText(bare(message, [caption, text].filter((part) => part !== '').join('\n')));
    }
    const as = sentAs(file.name, file.size);
    const fields = caption === '' ? {} : { caption: toHtml(caption), plain: { caption }, parse_mode: 'HTML' };
    const content = await openAsBlob(file.path);
    const send = ({ method, field }: typeof as) =>
      post(message, method, fields, { timeoutMs: FILE_MS, file: { field, name: file.name, content } });
    try {
      return await send(as);
    } catch (error) {
      // A picture too wide, a sound that isn't one: as it is, then.
      const isForm =
        error instanceof Refusal && error.code === 400 && /photo|image|video|audio|voice|file/i.test(error.message);
      if (!isForm || as === AS_DOCUMENT) throw error;
      return send(AS_DOCUMENT);
    }
  }

  /** To the chat and thread of the message; where those have moved or gone, to what stands in their place. */
  async function post(
    message: OutboundMessage,
    method: string,
    fields: Fields,
    options: CallOptions = {},
  ): Promise<string> {
    const { platformId, threadId, progress, quotes } = message;
    const answered = quotes === undefined ? undefined : numberOf(quotes);
    const to = (thread: string | null) => ({
      ...fields,
      chat_id: places.target(platformId),
      ...(thread !== null && { message_thread_id: Number(thread) }),
      ...(progress && { disable_notification: true }),
      // One that is gone is no reason to say nothing.
      ...(answered !== undefined && {
        reply_parameters: { message_id: answered, allow_sending_without_reply: true },
      }),
    });
    const sent = await plainly(method, to(threadId), Sent, options).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      if (error.movedTo !== undefined) places.moved(places.target(platformId), error.movedTo);
      else if (threadId === null || !/thread not found|TOPIC_(CLOSED|DELETED)/i.test(error.message)) throw error;
      // A topic that is gone has no other place than its chat.
      return plainly(method, to(error.movedTo === undefined ? null : threadId), Sent, options);
    });
    onSent(sent.chat.id, sent.message_id);
    return places.messageId(sent.chat.id, sent.message_id);
  }

  /** As it was written, where Telegram can't make out the formatting. */
  async function plainly<T>(method: string, fields: Fields, answer: z.ZodType<T>, options?: CallOptions): Promise<T> {
    const { plain, ...formatted } = fields;
    try {
      return await api.call(method, formatted, answer, options);
    } catch (error) {
      const isForm =
        error instanceof Refusal && error.code === 400 && /parse entities|can't find end/i.test(error.message);
      if (!isForm) throw error;
      context.log.warn('formatting was refused', { method, error });
      const { parse_mode: _, ...rest } = formatted;
      return await api.call(method, { ...rest, ...(typeof plain === 'object' ? plain : {}) }, answer, options);
    }
  }

  return { deliver };
}

/** Without buttons: those stand under the text already. */
function bare({ card: _, ...message }: OutboundMessage, text: string): OutboundMessage {
  return { ...message, text };
}

function written({ text, card }: OutboundMessage): Fields {
  if (!card) return { text: toHtml(text), plain: { text }, parse_mode: 'HTML' };
  const { title, body } = card;
  const parts = [title === '' ? '' : `<b>${escapeHtml(title)}</b>`, escapeHtml(body)].filter((part) => part !== '');
  return { text: parts.join('\n\n'), plain: { text }, parse_mode: 'HTML' };
}

function keyboard(card: Card | undefined): Fields {
  if (!card) return {};
  return {
    reply_markup: { inline_keyboard: card.buttons.map(({ label, data }) => [{ text: label, callback_data: data }]) },
  };
}
