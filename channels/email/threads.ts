import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { Mail } from './mail/mail.ts';

/**
 * Which mail belongs to which thread: some programs name only the mail that they answer, and an answer of ours has to
 * name the whole line. Nothing here is needed for correctness of what was taken: the file may be removed.
 */
export interface Threads {
  /** Notes a mail that came; again with the same result. `id` is what the host knows it by. */
  place(chat: string, mail: Mail, at: number): { id: string; root: string };
  /** What an answer in this thread carries; the newest mail is the one that it answers, unless `answering` is known. */
  line(chat: string, root: string, answering?: string): { subject: string; references: string[]; inReplyTo: string };
  noteSent(chat: string, id: string, root: string, subject: string, at: number): void;
  /** How many we sent to this chat since then, and when the first of them was. */
  sentSince(chat: string, since: number): { count: number; first: number };
  /** The chat that a mail of ours went to. */
  chatOfSent(id: string): string | undefined;
  /** The newest first. */
  chats(): { chat: string; name: string }[];
  close(): void;
}

const KEPT_MS = 400 * 86_400_000;

export function openThreads(file: string, now: number): Threads {
  const db = new DatabaseSync(file);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA busy_timeout = 2000;
    CREATE TABLE IF NOT EXISTS mails (
      chat TEXT NOT NULL, id TEXT NOT NULL, message_id TEXT NOT NULL, root TEXT NOT NULL, own INTEGER NOT NULL,
      subject TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (chat, id)
    );
    CREATE INDEX IF NOT EXISTS by_root ON mails (chat, root, at);
    CREATE INDEX IF NOT EXISTS by_message_id ON mails (message_id);
  `);
  db.prepare('DELETE FROM mails WHERE at < ?').run(now - KEPT_MS);
  const byId = db.prepare('SELECT root, digest FROM mails WHERE chat = ? AND id = ?');
  const rootOf = db.prepare('SELECT root FROM mails WHERE chat = ? AND message_id = ? LIMIT 1');
  const add = db.prepare('INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const line = db.prepare(
    'SELECT id, message_id, own, subject FROM mails WHERE chat = ? AND root = ? ORDER BY at, rowid',
  );
  const sent = db.prepare(
    'SELECT count(*) AS count, min(at) AS first FROM mails WHERE chat = ? AND own = 1 AND at > ?',
  );
  const sentTo = db.prepare('SELECT chat FROM mails WHERE message_id = ? AND own = 1');
  const chats = db.prepare(
    `SELECT chat, max(name) AS name FROM (SELECT chat, name, at FROM mails WHERE own = 0)
     GROUP BY chat ORDER BY max(at) DESC LIMIT 200`,
  );

  /** Some machines give every mail the same id; a mail that comes twice has the same content. */
  function idOf(chat: string, messageId: string, digest: string): string {
    const known = byId.get(chat, messageId);
    return known === undefined || known.digest === digest ? messageId : `${messageId}#${digest}`;
  }

  return {
    place(chat, mail, at) {
      const digest = digestOf(mail);
      const messageId = mail.messageId ?? `<${digest}@no.message.id>`;
      const id = idOf(chat, messageId, digest);
      const named = [...(mail.inReplyTo ? [mail.inReplyTo] : []), ...mail.references.toReversed()];
      const parents = named.filter((parent) => parent !== messageId).map((parent) => rootOf.get(chat, parent)?.root);
      const known = parents.find((root) => root !== undefined);
      const root = String(byId.get(chat, id)?.root ?? known ?? mail.references[0] ?? mail.inReplyTo ?? messageId);
      add.run(chat, id, messageId, root, 0, mail.subject, mail.from?.name ?? '', digest, at);
      return { id, root };
    },
    line(chat, root, answering) {
      const mails = line.all(chat, root);
      const came = mails.filter((mail) => mail.own === 0);
      const answered = mails.find(({ id }) => id === answering) ?? came.at(-1) ?? mails.at(-1);
      const upTo = answered ? mails.slice(0, mails.indexOf(answered) + 1) : [];
      const ids = new Set([root, ...upTo.slice(-20).map((mail) => String(mail.message_id))]);
      const subject = mails.find((mail) => mail.subject !== '')?.subject;
      return {
        subject: String(subject ?? ''),
        references: [...ids],
        inReplyTo: answered ? String(answered.message_id) : root,
      };
    },
    noteSent(chat, id, root, subject, at) {
      add.run(chat, id, id, root, 1, subject, '', '', at);
    },
    sentSince(chat, since) {
      const row = sent.get(chat, since);
      return { count: Number(row?.count ?? 0), first: Number(row?.first ?? 0) };
    },
    chatOfSent(id) {
      const chat = sentTo.get(id)?.chat;
      return chat === undefined ? undefined : String(chat);
    },
    chats: () => chats.all().map(({ chat, name }) => ({ chat: String(chat), name: String(name || chat) })),
    close: () => db.close(),
  };
}

function digestOf({ from, subject, headers, text, html }: Mail): string {
  const parts = [from?.address, headers.first('date'), subject, text, html].map((part) => part ?? '');
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
