import { lchownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { upgradeOutbound } from '@nanoclaw/protocol';
import type { Place } from './stage.ts';

/** How hostile things get into a folder: as the agent's uid would have put them there. */

export const TIME = '2026-01-01T00:00:00.000Z';
export const PAGE = 4096;

/** Gives what was made there to the agent. */
export function own(place: Place, path: string): void {
  if (process.getuid?.() === 0) lchownSync(path, place.uid, place.uid);
}

/** Has something made, and puts it where something else is. */
export function inPlaceOf(place: Place, path: string, make: (path: string) => void): void {
  const beside = `${path}.planted`;
  rmSync(beside, { recursive: true, force: true });
  make(beside);
  own(place, beside);
  rmSync(path, { recursive: true, force: true });
  renameSync(beside, path);
}

/** A database file of the agent's own making, with one message in it, moved over the one that is there. */
export function craft(
  place: Place,
  alter: (db: DatabaseSync) => void,
  edit?: (image: Buffer) => Buffer | undefined,
): void {
  const file = join(place.box, '.crafted');
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(file + end, { force: true });
  const db = new DatabaseSync(file);
  db.exec('PRAGMA synchronous = OFF');
  upgradeOutbound(db);
  say(db, 'crafted', nextSeq(1));
  alter(db);
  db.close();
  const image = readFileSync(file);
  const edited = edit?.(image) ?? image;
  writeFileSync(file, edited);
  own(place, file);
  renameSync(file, place.db);
}

/** Writes to the file that is there, beside the runner. */
export function beside(place: Place, work: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(place.db, { timeout: 20_000 });
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE');
    work(db);
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}

let seq = 100_001;

/** Odd numbers of three bytes that grow, far above what the runner has used; room for `count` of them. */
export function nextSeq(count: number): number {
  const first = seq;
  seq += 2 * count + 1000;
  return first;
}

export interface Row {
  content?: string | Uint8Array;
  kind?: string;
  platform?: string;
  channel?: string;
  thread?: string;
  after?: string;
  inReplyTo?: string;
}

export function say(db: DatabaseSync, id: string, seq: number | bigint, row: Row = {}): void {
  db.prepare('INSERT INTO messages_out VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    id,
    seq,
    row.inReplyTo ?? null,
    TIME,
    row.after ?? null,
    row.kind ?? 'chat',
    row.platform ?? null,
    row.channel ?? null,
    row.thread ?? null,
    row.content ?? '{"text":"planted"}',
  );
}

export function acknowledge(
  db: DatabaseSync,
  messageId: string,
  status = 'completed',
  error: string | null = null,
): void {
  db.prepare('INSERT OR REPLACE INTO processing_ack VALUES (?, ?, ?, ?)').run(messageId, status, TIME, error);
}

let offers = 0;

/** Makes `outbox/<id>/`, has it filled, and says a message that names the files. Returns its text. */
export function offer(place: Place, names: readonly string[], fill: (folder: string) => void): string {
  offers += 1;
  const id = `offer-${offers}`;
  const folder = join(place.outbox, id);
  mkdirSync(folder, { recursive: true });
  own(place, place.outbox);
  own(place, folder);
  fill(folder);
  const text = `Here is ${id}.`;
  beside(place, (db) => say(db, id, nextSeq(1), { content: JSON.stringify({ text, files: names }) }));
  return text;
}
