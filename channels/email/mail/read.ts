import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform, type TransformCallback, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type MailAttachment, MailParser, type MailText } from 'mailparser';
import { OWN_ID } from '../own-id.ts';
import { readAddresses } from './address.ts';
import { headersOf, messageIds } from './headers.ts';
import type { Mail, MailFile } from './mail.ts';

export interface ReadLimits {
  /** Of the whole mail as it is sent. */
  mailBytes: number;
  /** Of all that isn't in files: it is read in memory. */
  textBytes: number;
  fileBytes: number;
  files: number;
}

export const READ_LIMITS: ReadLimits = {
  mailBytes: 60_000_000,
  textBytes: 5_000_000,
  fileBytes: 40_000_000,
  files: 50,
};

/** Of one part's header, and how many parts: what no mail program makes. */
const HEAD_BYTES = 256 * 1024;
const PARTS = 500;

/** Reads a mail from its raw bytes; files go straight to `folder`. Throws, leaving no file, when it can't be read. */
export async function readMail(raw: Readable, folder: string, limits = READ_LIMITS): Promise<Mail> {
  const parser = new MailParser({
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipTextLinks: true,
    skipImageLinks: true,
    maxHeadSize: HEAD_BYTES,
    maxChildNodes: PARTS,
  });
  const gate = new Gate(limits);
  const files: MailFile[] = [];
  const leftOut: string[] = [];
  let text: MailText | undefined;
  const take = new Writable({
    objectMode: true,
    write(item: MailAttachment | MailText, _encoding, done) {
      if (item.type === 'text') {
        text = item;
        done();
        return;
      }
      keep(item, files, leftOut, folder, limits, (bytes) => gate.noteFile(bytes)).then(
        () => {
          item.release();
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  try {
    await pipeline(raw, gate, parser, take);
  } catch (error) {
    await Promise.all(files.map(({ path }) => rm(path, { force: true })));
    throw error;
  }
  return { ...head(parser), text: text?.text, html: text?.html || undefined, files, leftOut, mentioned: gate.found() };
}

function head(parser: MailParser) {
  const headers = headersOf(parser.headerLines || []);
  const decoded = (name: string): string => {
    const value = parser.headers ? parser.headers.get(name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  const from = senderOf(parser, headers.all('from'));
  const date = parser.headers ? parser.headers.get('date') : undefined;
  const ids = (name: string) => messageIds(headers.first(name) ?? '');
  return {
    headers,
    from,
    to: readAddresses(headers.all('to').join(', '), String).found,
    cc: readAddresses(headers.all('cc').join(', '), String).found,
    subject: decoded('subject')
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .trim()
      .slice(0, 500),
    date: date instanceof Date && headers.first('date') ? date.toISOString() : undefined,
    messageId: ids('message-id')[0],
    inReplyTo: ids('in-reply-to')[0],
    references: ids('references'),
  };
}

/** Two senders are none: each program would show another one. */
function senderOf(parser: MailParser, values: readonly string[]) {
  const [value] = values;
  if (value === undefined || values.length > 1) return undefined;
  const { found, count } = readAddresses(value, String);
  const [sender] = found;
  if (!sender || count !== 1) return undefined;
  return { ...sender, name: decodedName(parser) ?? sender.name };
}

function decodedName(parser: MailParser): string | undefined {
  const from: unknown = parser.headers ? parser.headers.get('from') : undefined;
  if (typeof from !== 'object' || from === null || !('value' in from) || !Array.isArray(from.value)) return undefined;
  const first: unknown = from.value[0];
  if (typeof first !== 'object' || first === null || !('name' in first) || typeof first.name !== 'string') {
    return undefined;
  }
  return first.name;
}

/** Its content is read to the end in any case: what comes after it in the mail waits for that. */
async function keep(
  item: MailAttachment,
  files: MailFile[],
  leftOut: string[],
  folder: string,
  limits: ReadLimits,
  noteFile: (encodedBytes: number) => void,
): Promise<void> {
  const name = fileName(item);
  const room = files.length < limits.files;
  const path = join(folder, randomUUID());
  const growth = GROWTH.get(String(item.headers.get('content-transfer-encoding')).toLowerCase()) ?? 1.05;
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      noteFile(chunk.length * growth);
      // The rest is read, and kept nowhere.
      if (room && size <= limits.fileBytes) done(null, chunk);
      else done();
    },
  });
  const sink = room ? createWriteStream(path, { flags: 'wx', mode: 0o600 }) : new Nowhere();
  try {
    await pipeline(item.content, count, sink);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  if (!room) {
    leftOut.push(`${name} (too many files)`);
  } else if (size > limits.fileBytes) {
    await rm(path, { force: true });
    leftOut.push(`${name} (too large)`);
  } else {
    files.push({ name, mimeType: mimeType(item), size, path });
  }
}

/** How much longer content is on its way than in its file, at most, as programs write it. */
const GROWTH: ReadonlyMap<string, number> = new Map([
  ['base64', 1.42],
  ['quoted-printable', 1.5],
]);

class Nowhere extends Writable {
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'text/calendar': '.ics',
  'message/rfc822': '.eml',
  'application/pdf': '.pdf',
  'image/jpeg': '.jpg',
  'image/png': '.png',
  'image/gif': '.gif',
  'text/html': '.html',
  'text/plain': '.txt',
};

function mimeType({ contentType = '' }: MailAttachment): string {
  const type = contentType.toLowerCase();
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,100}$/.test(type) ? type : 'application/octet-stream';
}

function fileName(item: MailAttachment): string {
  const given = (item.filename ?? '')
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/^.*[/\\]/s, '')
    .replace(/^[\s.]+|[\s.]+$/g, '')
    .slice(-120);
  return given || `attachment${EXTENSIONS[mimeType(item)] ?? ''}`;
}

/** Lets a mail through up to a size, of which only so much may be text, and notes ids of our own that stand in it. */
class Gate extends Transform {
  readonly #limits: ReadLimits;
  readonly #ids = new Set<string>();
  #size = 0;
  #inFiles = 0;
  #tail = '';

  constructor(limits: ReadLimits) {
    super();
    this.#limits = limits;
  }

  noteFile(bytes: number): void {
    this.#inFiles += bytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const { mailBytes, textBytes } = this.#limits;
    this.#size += chunk.length;
    if (this.#size > mailBytes || this.#size - this.#inFiles > textBytes) {
      done(new Error(`It is larger than ${mailBytes} bytes, or its text than ${textBytes}.`));
      return;
    }
    const seen = this.#tail + chunk.toString('latin1');
    if (this.#ids.size < 20) for (const [id] of seen.matchAll(OWN_ID)) this.#ids.add(id);
    this.#tail = seen.slice(-320);
    done(null, chunk);
  }

  found(): string[] {
    return [...this.#ids];
  }
}
