import type { Entry } from './transcript.ts';

/** A conversation as a file that can be read and searched. Pure. */

export interface Archived {
  /** Its name, without an ending: by date and subject. */
  name: string;
  text: string;
}

const MOST_RESULT = 1_000;
const MOST_INPUT = 500;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_SUBJECT = 48;

/** Undefined: nobody said anything. `reason`: why it is kept. */
export function renderArchive(entries: readonly Entry[], reason: string, timezone: string): Archived | undefined {
  const first = entries.find((entry) => entry.kind === 'heard');
  if (first?.kind !== 'heard') return undefined;
  const subject = subjectOf(first.text);
  const when = localTime(first.at, timezone);
  const parts = [`# ${subject || 'Conversation'}`, `Begun ${when} (${timezone}). Kept because ${reason}.`];
  let bytes = 0;
  for (const entry of entries) {
    const part = render(entry, timezone);
    bytes += Buffer.byteLength(part);
    if (bytes > MOST_BYTES) {
      parts.push('(The rest was left out: it is too long.)');
      break;
    }
    parts.push(part);
  }
  const slug = subject
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  const name = [when.replace(' ', '-').replaceAll(':', ''), slug].filter(Boolean).join('-');
  return { name, text: `${parts.join('\n\n')}\n` };
}

function render(entry: Entry, timezone: string): string {
  const at = localTime(entry.at, timezone);
  switch (entry.kind) {
    case 'heard':
      return `## ${at}\n\n${spoken(entry.text)}`;
    case 'said':
      return `## ${at}, you\n\n${entry.text.trim()}`;
    case 'summary':
      return `## ${at}, what was said before, in short\n\n${entry.text.trim()}`;
    case 'tool':
      return `- tool \`${entry.name}\`: ${quoted(entry.input, MOST_INPUT)}`;
    case 'result':
      return `- its result: ${quoted(entry.text, MOST_RESULT)}`;
  }
}

const MESSAGE = /<message\b([^>]*)>([\s\S]*?)<\/message>/g;

/** Prompts hold messages as the agent reads them; here they are read as people do. */
function spoken(prompt: string): string {
  const messages = Array.from(prompt.matchAll(MESSAGE), ([, attributes = '', body = '']) => {
    const [, sender = ''] = /\bsender="([^"]*)"/.exec(attributes) ?? [];
    return `**${unescaped(sender) || 'somebody'}:** ${unescaped(body).trim()}`;
  });
  return messages.length > 0 ? messages.join('\n\n') : prompt.trim();
}

function subjectOf(prompt: string): string {
  const [, , body = ''] = new RegExp(MESSAGE.source).exec(prompt) ?? [];
  const text = unescaped(body || prompt).replaceAll(/<[^>]*>/g, ' ');
  const line = text.replaceAll(/[\s#*`_]+/g, ' ').trim();
  return line.length <= MOST_SUBJECT
    ? line
    : line.slice(0, MOST_SUBJECT).replace(/\S*$/, '').trim() || line.slice(0, MOST_SUBJECT);
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

function quoted(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('`', "'").trim();
  const more = line.length > most ? ` … (${line.length - most} more characters)` : '';
  return `\`${line.slice(0, most).toWellFormed()}\`${more}`;
}

/** `2026-03-01 13:00`. */
function localTime(at: string, timezone: string): string {
  const time = Date.parse(at) || 0;
  return new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' }).format(time);
}
