import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { atOnce, nextRevision } from './database.ts';

/** Chats: each belongs to one user, and is a platform id. */

export interface Chat {
  id: string;
  user: string;
  name: string;
  /** Up to which message the user has read. */
  read: number;
  unread: number;
  rev: number;
}

const MAX_CHATS = 200;

export interface Chats {
  get(id: string): Chat | undefined;
  /** The one that was used last comes first. */
  list(user?: string): Chat[];
  /** Undefined: there are too many. */
  add(user: string, name: string, now: number): Chat | undefined;
  rename(id: string, name: string): void;
  read(id: string, seq: number): void;
  changedSince(user: string, rev: number): Chat[];
}

const COLUMNS = `chats.*, (SELECT count(*) FROM messages WHERE chat = chats.id AND author = 'agent'
  AND seq > read_seq) AS unread`;
const NEWEST = 'ORDER BY (SELECT max(seq) FROM messages WHERE chat = chats.id) DESC NULLS LAST, created_at DESC';

export function createChats(db: DatabaseSync): Chats {
  const one = db.prepare(`SELECT ${COLUMNS} FROM chats WHERE id = ?`);
  const all = db.prepare(`SELECT ${COLUMNS} FROM chats ${NEWEST}`);
  const own = db.prepare(`SELECT ${COLUMNS} FROM chats WHERE user = ? ${NEWEST}`);
  const changed = db.prepare(`SELECT ${COLUMNS} FROM chats WHERE user = ? AND rev > ? ORDER BY rev`);
  const count = db.prepare('SELECT count(*) AS n FROM chats WHERE user = ?');
  const add = db.prepare('INSERT INTO chats (id, user, name, created_at, rev) VALUES (?, ?, ?, ?, ?)');
  const rename = db.prepare('UPDATE chats SET name = ?, rev = ? WHERE id = ?');
  const read = db.prepare(
    // Never more than there is: what comes is unread.
    `UPDATE chats SET read_seq = min(?, (SELECT coalesce(max(seq), 0) FROM messages WHERE chat = chats.id)), rev = ?
     WHERE id = ? AND read_seq < ?`,
  );
  const get = (id: string) => {
    const row = one.get(id);
    return row && toChat(row);
  };
  return {
    get,
    list: (user) => (user === undefined ? all.all() : own.all(user)).map(toChat),
    add(user, name, now) {
      if (Number(count.get(user)?.n) >= MAX_CHATS) return undefined;
      const id = `${user}.${randomBytes(6).toString('hex')}`;
      atOnce(db, () => add.run(id, user, name, isoTime(now), nextRevision(db)));
      return get(id);
    },
    rename: (id, name) => void atOnce(db, () => rename.run(name, nextRevision(db), id)),
    read: (id, seq) => void atOnce(db, () => read.run(seq, nextRevision(db), id, seq)),
    changedSince: (user, rev) => changed.all(user, rev).map(toChat),
  };
}

function toChat(row: Record<string, unknown>): Chat {
  return {
    id: String(row.id),
    user: String(row.user),
    name: String(row.name),
    read: Number(row.read_seq),
    unread: Number(row.unread),
    rev: Number(row.rev),
  };
}
