import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';
import { atOnce, nextRevision } from './database.ts';
import { type KeptFile, toFile } from './files.ts';

/** What was said: the page's history. The host's own record is the central database; this one is bounded. */

export const Card = z.object({
  title: z.string(),
  body: z.string(),
  buttons: z.array(z.object({ data: z.string(), label: z.string() })).readonly(),
});
export type Card = z.infer<typeof Card>;

/** `sending`: the host has not answered yet. The others are what it answered. */
export type State = 'sending' | 'stored' | 'answered' | 'held' | 'dropped' | 'refused';

/** As the page is told. */
export interface Said {
  seq: number;
  rev: number;
  chat: string;
  author: 'me' | 'agent';
  /** The page's id or the host's. */
  id: string;
  at: string;
  text: string;
  /** The agent's name; the host has none. */
  speaker?: string;
  card?: Card;
  files: readonly KeptFile[];
  edited: boolean;
  state: string;
  note?: string;
  outcome?: string;
}

export interface NewMessage {
  chat: string;
  author: 'me' | 'agent';
  id: string;
  text: string;
  speaker?: string;
  card?: Card;
  files: readonly string[];
  state: State;
}

export interface Messages {
  find(chat: string, author: 'me' | 'agent', id: string): Said | undefined;
  /** The same id twice is there once: undefined, the second time. Drops what is too old; `forgotten` are its files. */
  add(message: NewMessage, now: number): { said: Said; forgotten: string[] } | undefined;
  /** Undefined: there is none of that id. */
  edit(chat: string, id: string, change: { text: string; card?: Card; files: readonly string[] }): Said | undefined;
  settle(seq: number, state: State, note?: string): Said;
  /** The place of the last one, in any chat. */
  newest(): number;
  /** Held in the user's chats, and not ended. */
  held(user: string): Said[];
  /** Where the user's newest question stands that still has its buttons. */
  question(user: string): string | undefined;
  end(chat: string, id: string, outcome: string): Said | undefined;
  /** Oldest first, at most `limit`, all older than `before`. */
  page(chat: string, before: number, limit: number): Said[];
  changedSince(user: string, rev: number, limit: number): Said[];
  /** What the host has not answered for, oldest first. */
  unsettled(): Said[];
}

/** Of one chat. */
const KEPT = 2_000;

export function createMessages(db: DatabaseSync, kept = KEPT): Messages {
  const byKey = db.prepare('SELECT * FROM messages WHERE chat = ? AND author = ? AND key = ?');
  const bySeq = db.prepare('SELECT * FROM messages WHERE seq = ?');
  const add = db.prepare(
    `INSERT OR IGNORE INTO messages (rev, chat, author, key, at, text, card, state, speaker)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const attach = db.prepare('UPDATE files SET message = ? WHERE id = ? AND message IS NULL');
  const filesOf = db.prepare('SELECT * FROM files WHERE message = ? ORDER BY rowid');
  const edit = db.prepare('UPDATE messages SET text = ?, card = ?, edited = edited OR ?, rev = ? WHERE seq = ?');
  const settle = db.prepare('UPDATE messages SET state = ?, note = ?, rev = ? WHERE seq = ?');
  const end = db.prepare('UPDATE messages SET outcome = ?, rev = ? WHERE seq = ?');
  const page = db.prepare('SELECT * FROM messages WHERE chat = ? AND seq < ? ORDER BY seq DESC LIMIT ?');
  const changed = db.prepare(
    `SELECT messages.* FROM messages JOIN chats ON chats.id = chat WHERE user = ? AND messages.rev > ?
     ORDER BY messages.rev LIMIT ?`,
  );
  const newest = db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM messages');
  const held = db.prepare(
    `SELECT messages.* FROM messages JOIN chats ON chats.id = chat
     WHERE user = ? AND author = 'me' AND state = 'held' AND outcome IS NULL ORDER BY seq`,
  );
  const question = db.prepare(
    `SELECT chat FROM messages JOIN chats ON chats.id = chat
     WHERE user = ? AND card IS NOT NULL AND json_array_length(card, '$.buttons') > 0 ORDER BY seq DESC LIMIT 1`,
  );
  const unsettled = db.prepare("SELECT * FROM messages WHERE state = 'sending' ORDER BY seq");
  const edge = db.prepare('SELECT seq FROM messages WHERE chat = ? ORDER BY seq DESC LIMIT 1 OFFSET ?');
  const oldFiles = db.prepare(
    'SELECT files.id FROM files JOIN messages ON message = seq WHERE messages.chat = ? AND seq <= ?',
  );
  const forget = db.prepare('DELETE FROM messages WHERE chat = ? AND seq <= ?');

  function toSaid(row: Record<string, unknown>): Said {
    return {
      seq: Number(row.seq),
      rev: Number(row.rev),
      chat: String(row.chat),
      author: row.author === 'me' ? 'me' : 'agent',
      id: String(row.key),
      at: String(row.at),
      text: String(row.text),
      ...(row.speaker !== null && { speaker: String(row.speaker) }),
      ...(row.card !== null && { card: Card.parse(JSON.parse(String(row.card))) }),
      files: filesOf.all(Number(row.seq)).map(toFile),
      edited: row.edited === 1,
      state: String(row.state),
      ...(row.note !== null && { note: String(row.note) }),
      ...(row.outcome !== null && { outcome: String(row.outcome) }),
    };
  }

  const get = (seq: number): Said => {
    const row = bySeq.get(seq);
    if (!row) throw new Error(`There is no message ${seq}.`);
    return toSaid(row);
  };

  function find(chat: string, author: string, id: string): Said | undefined {
    const row = byKey.get(chat, author, id);
    return row && toSaid(row);
  }

  function prune(chat: string): string[] {
    const last = edge.get(chat, kept);
    if (!last) return [];
    const forgotten = oldFiles.all(chat, Number(last.seq)).map(({ id }) => String(id));
    forget.run(chat, Number(last.seq));
    return forgotten;
  }

  return {
    find,
    add: ({ chat, author, id, text, speaker, card, files, state }, now) =>
      atOnce(db, () => {
        const rev = nextRevision(db);
        const shown = card ? JSON.stringify(card) : null;
        const made = add.run(rev, chat, author, id, isoTime(now), text, shown, state, speaker ?? null);
        if (made.changes === 0) return undefined;
        const seq = Number(made.lastInsertRowid);
        for (const file of files) attach.run(seq, file);
        return { said: get(seq), forgotten: prune(chat) };
      }),
    edit: (chat, id, { text, card, files }) =>
      atOnce(db, () => {
        const before = find(chat, 'agent', id);
        if (!before) return undefined;
        const { seq } = before;
        // An answer that is still written is no other one than before.
        const grew = !before.card && !card && text.startsWith(before.text);
        edit.run(text, card ? JSON.stringify(card) : null, grew ? 0 : 1, nextRevision(db), seq);
        for (const file of files) attach.run(seq, file);
        return get(seq);
      }),
    settle: (seq, state, note) =>
      atOnce(db, () => {
        settle.run(state, note ?? null, nextRevision(db), seq);
        return get(seq);
      }),
    end: (chat, id, outcome) =>
      atOnce(db, () => {
        const seq = find(chat, 'me', id)?.seq;
        if (seq === undefined) return undefined;
        end.run(outcome, nextRevision(db), seq);
        return get(seq);
      }),
    page: (chat, before, limit) => page.all(chat, before, limit).reverse().map(toSaid),
    newest: () => Number(newest.get()?.seq),
    held: (user) => held.all(user).map(toSaid),
    question: (user) => question.get(user)?.chat?.toString(),
    unsettled: () => unsettled.all().map(toSaid),
    changedSince: (user, rev, limit) => changed.all(user, rev, limit).map(toSaid),
  };
}
