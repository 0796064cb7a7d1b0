import { posix } from 'node:path';
import { type Attachment, cleanText, type DestinationRow, escapeXml, INSIDE } from '@nanoclaw/protocol';
import { nameOf } from './destinations.ts';
import { localTime } from './local-time.ts';
import type { ReadMessage } from './mailbox/content.ts';

export interface PromptSetting {
  timezone: string;
  now: number;
  destinations: readonly DestinationRow[];
}

/** The prompt for these messages, in the order given. Whatever came from outside is escaped, so that it can't pose as ours. */
export function renderPrompt(messages: readonly ReadMessage[], setting: PromptSetting): string {
  const { timezone, now } = setting;
  const context = element('context', { timezone, now: localTime(now, timezone) });
  return [context, ...messages.map((message) => renderMessage(message, setting))].join('\n');
}

/** An answer of ours to what the agent did; `text` may quote what it wrote. */
export function renderResponse(subject: string, status: string, text: string): string {
  return element('system_response', { subject, status }, safe(text));
}

function renderMessage({ row, body }: ReadMessage, { timezone, destinations }: PromptSetting): string {
  const common = {
    id: row.seq,
    from: nameOf(destinations, row),
    time: localTime(row.timestamp, timezone),
    context: row.trigger === 0 ? true : undefined,
    retry: row.tries > 0 ? row.tries + 1 : undefined,
  };
  const lines = row.tries > 0 ? [element('note', {}, REPEATED)] : [];
  switch (body.type) {
    case 'chat': {
      const { replyTo, attachments = [] } = body;
      if (replyTo) lines.push(element('quoted_message', { from: replyTo.sender }, safe(replyTo.text)));
      lines.push(safe(body.text), ...attachments.map(renderAttachment));
      const { id, from, ...rest } = common;
      return element('message', { id, from, sender: body.sender, ...rest, reply_to: replyTo?.id }, ...lines);
    }
    case 'task': {
      const { task, name, due, schedule, missed, data } = body;
      if (data !== undefined) lines.push(element('data', {}, safe(JSON.stringify(data))));
      return element('task', { ...common, task, name, due, schedule, missed }, ...lines, safe(body.prompt));
    }
    case 'webhook': {
      const payload = JSON.stringify(body.payload) ?? 'null';
      return element('webhook', { ...common, source: body.source, event: body.event }, ...lines, safe(payload));
    }
    case 'note':
      return element(
        'system_response',
        { ...common, subject: body.subject, status: body.status },
        ...lines,
        safe(body.text),
      );
    case 'control':
      // Handled before a batch is made; there is nothing in it for the model.
      return '';
  }
}

const REPEATED =
  'This was tried before and did not finish. Tools may have run already: look before you do anything a second time.';

function renderAttachment({ type, name, path, url, mimeType, size, seconds }: Attachment): string {
  const place = path === undefined ? undefined : placeOf(path, INSIDE.inbound);
  const about = { mime: mimeType, bytes: size, seconds };
  return element('attachment', { type, name, path: place, url: place ? undefined : url, ...about });
}

function placeOf(path: string, inbound: string): string {
  return posix.join(inbound, path.replace(`${INSIDE.inbound}/`, ''));
}

/** The files of a message that are said to be pictures; `inbound`: where attachments lie. */
export function imagesOf({ body }: ReadMessage, inbound: string): string[] {
  const attachments = body.type === 'chat' ? (body.attachments ?? []) : [];
  return attachments.flatMap(({ type, mimeType, path }) =>
    path !== undefined && (type === 'image' || mimeType?.startsWith('image/')) ? placeOf(path, inbound) : [],
  );
}

type Attributes = Record<string, string | number | boolean | undefined>;

function element(name: string, attributes: Attributes, ...lines: string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    // On one line, or a reader could take the rest for something else.
    .map(([key, value]) => ` ${key}="${safe(String(value)).replaceAll(/\s+/g, ' ')}"`)
    .join('');
  return lines.length === 0 ? `<${name}${written} />` : `<${name}${written}>${lines.join('\n')}</${name}>`;
}

function safe(text: string): string {
  return escapeXml(cleanText(text));
}
