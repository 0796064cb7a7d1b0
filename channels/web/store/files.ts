import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  type ReadStream,
  readdirSync,
  rmSync,
} from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cleanText, isoTime, truncateBytes } from '@nanoclaw/protocol';
import { newToken } from './logins.ts';

/** Files of messages: below an id that nobody guesses, never below a name that somebody chose. */

export interface KeptFile {
  id: string;
  name: string;
  /** What its first bytes say; everything else is `application/octet-stream`. */
  type: string;
  size: number;
  /** May be shown in the page. */
  image: boolean;
}

export interface Files {
  /** Streams into a file of this user's, which no message has yet. Rejects with a TooLarge; nothing is left of it then. */
  take(user: string, name: string, content: Readable, maxBytes: number, now: number): Promise<KeptFile>;
  /** Copies one that the host lends. */
  keep(user: string, name: string, path: string, size: number, now: number): Promise<KeptFile>;
  get(user: string, id: string): KeptFile | undefined;
  /** Undefined: there is none of this user's that waits for its message. */
  waiting(user: string, id: string): KeptFile | undefined;
  /** Of those that wait, the newest stay, so many. */
  keepWaiting(user: string, count: number): void;
  path(id: string): string;
  read(id: string): ReadStream;
  drop(ids: readonly string[]): void;
  /** What no message took in a day, and what no row knows. */
  sweep(now: number): void;
}

export class TooLarge extends Error {}

const DAY_MS = 24 * 3_600_000;

export function createFiles(db: DatabaseSync, folder: string): Files {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const add = db.prepare('INSERT INTO files (id, user, name, type, size, created_at) VALUES (?, ?, ?, ?, ?, ?)');
  const one = db.prepare('SELECT * FROM files WHERE user = ? AND id = ?');
  const free = db.prepare('SELECT * FROM files WHERE user = ? AND id = ? AND message IS NULL');
  const surplus = db.prepare(
    'SELECT id FROM files WHERE user = ? AND message IS NULL ORDER BY rowid DESC LIMIT -1 OFFSET ?',
  );
  const known = db.prepare('SELECT 1 FROM files WHERE id = ?');
  const stale = db.prepare('DELETE FROM files WHERE message IS NULL AND created_at < ?');
  const remove = db.prepare('DELETE FROM files WHERE id = ?');
  const path = (id: string) => join(folder, id);

  async function note(user: string, id: string, name: string, size: number, now: number): Promise<KeptFile> {
    const type = await typeOf(path(id));
    const shown = shownName(name);
    add.run(id, user, shown, type, size, isoTime(now));
    return { id, name: shown, type, size, image: isImage(type) };
  }

  function drop(ids: readonly string[]): void {
    for (const id of ids) {
      remove.run(id);
      rmSync(path(id), { force: true });
    }
  }

  return {
    async take(user, name, content, maxBytes, now) {
      const id = newToken();
      let size = 0;
      try {
        await pipeline(
          content,
          async function* (chunks: AsyncIterable<Buffer>) {
            for await (const chunk of chunks) {
              size += chunk.length;
              if (size > maxBytes) throw new TooLarge();
              yield chunk;
            }
          },
          createWriteStream(path(id), { flags: 'wx', mode: 0o600, flush: true }),
        );
        return await note(user, id, name, size, now);
      } catch (error) {
        rmSync(path(id), { force: true });
        throw error;
      }
    },
    async keep(user, name, from, size, now) {
      const id = newToken();
      await copyFile(from, path(id));
      return note(user, id, name, size, now);
    },
    get(user, id) {
      const row = one.get(user, id);
      return row && existsSync(path(id)) ? toFile(row) : undefined;
    },
    waiting(user, id) {
      const row = free.get(user, id);
      return row && toFile(row);
    },
    keepWaiting: (user, count) => drop(surplus.all(user, count).map(({ id }) => String(id))),
    path,
    read: (id) => createReadStream(path(id)),
    drop,
    sweep(now) {
      stale.run(isoTime(now - DAY_MS));
      for (const name of readdirSync(folder)) if (!known.get(name)) rmSync(path(name), { force: true });
    },
  };
}

export function toFile(row: Record<string, unknown>): KeptFile {
  const type = String(row.type);
  return { id: String(row.id), name: String(row.name), type, size: Number(row.size), image: isImage(type) };
}

function isImage(type: string): boolean {
  return type.startsWith('image/');
}

/** Images that run nothing: an SVG is a document with scripts. */
const MAGIC: readonly [type: string, hex: RegExp][] = [
  ['image/png', /^89504e470d0a1a0a/],
  ['image/jpeg', /^ffd8ff/],
  ['image/gif', /^47494638(37|39)61/],
  ['image/webp', /^52494646.{8}57454250/],
  ['application/pdf', /^255044462d/],
];

async function typeOf(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const head = buffer.toString('hex', 0, bytesRead);
  return MAGIC.find(([, hex]) => hex.test(head))?.[0] ?? 'application/octet-stream';
}

/** For people to read: its last part, without what hides or turns letters. */
function shownName(name: string): string {
  const last = cleanText(name).normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  return truncateBytes(last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ''), 200).trim() || 'file';
}
