import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byteLength, type ChatOut, MAX_CONTENT_BYTES, MAX_TEXT_BYTES, truncateBytes } from '@nanoclaw/protocol';

const BEGINNING_BYTES = 3000;

/** A message's content. A text that is too long becomes a file below `outbox/<id>/`, and its beginning the text. */
export function chatContent(outbox: string, id: string, text: string, rest: Omit<ChatOut, 'text'> = {}): ChatOut {
  // Written as JSON, a text of control characters grows sixfold.
  if (byteLength(text) <= MAX_TEXT_BYTES && byteLength(JSON.stringify(text)) <= MAX_CONTENT_BYTES / 2) {
    return { text, ...rest };
  }
  const folder = join(outbox, id);
  mkdirSync(folder, { recursive: true });
  const files = rest.files ?? [];
  const name = files.includes('answer.md') ? 'whole-answer.md' : 'answer.md';
  writeFileSync(join(folder, name), text);
  const beginning = truncateBytes(text, BEGINNING_BYTES).trimEnd();
  return { text: `${beginning}…\n\n(The whole text is in ${name}.)`, ...rest, files: [...files, name] };
}
