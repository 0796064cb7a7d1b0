import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type SystemNote } from '@nanoclaw/protocol';
import { newId } from '../../src/db/ids.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { Unread } from './unread.ts';

/** What waits to be told to an agent with its next turn: one note for each thing, the newest of each kind. */

export interface Notes {
  /** In the place of an earlier one about the same that nobody has read. Inside a transaction. */
  put(session: Session, subject: Subject, about: string, status: string, text: string, now: number): void;
  /** Nobody is told, unless they have read it. Inside a transaction; false: there is none. */
  drop(session: Session, subject: Subject, about: string, now: number): boolean;
}

/** Together fewer than the notes that may wait in all: what became of its own doings has room beside them. */
const MOST = { message: 6, reaction: 6 };
type Subject = keyof typeof MOST;

export function createNotes(db: DatabaseSync, messages: Messages, unread: Unread): Notes {
  const open = db.prepare(
    `SELECT id, json_extract(content, '$.about') AS about, content FROM messages INDEXED BY messages_open
     WHERE session_id = ?1 AND direction = 'in' AND status IN ('pending', 'paused') AND kind = 'system'
       AND json_extract(content, '$.subject') = ?2 AND json_extract(content, '$.about') IS NOT NULL ORDER BY seq`,
  );
  const waiting = (session: Session, subject: Subject) =>
    open
      .all(session.id, subject)
      .map((row) => ({
        id: String(row.id),
        about: String(row.about),
        content: String(row.content),
        sessionId: session.id,
        trigger: false,
        isOpen: true,
      }))
      .filter(unread.is);
  const end = (session: Session, id: string, now: number) =>
    void messages.settle(session.id, id, 'completed', 'withdrawn', now);

  function add(session: Session, content: SystemNote & { about: string }, now: number): void {
    messages.addInbound(
      {
        id: newId('sys', now),
        sessionId: session.id,
        kind: 'system',
        timestamp: isoTime(now),
        trigger: false,
        content,
        channel_type: null,
        platform_id: null,
        thread_id: session.threadId,
      },
      now,
    );
  }

  return {
    put(session, subject, about, status, text, now) {
      const note = { action: 'note', subject, status, text, about } as const;
      const all = waiting(session, subject);
      const known = all.find((one) => one.about === about);
      if (known?.content === JSON.stringify(note)) return;
      if (known) return unread.rewrite(known, note, () => add(session, note, Date.now()));
      for (const { id } of all.slice(0, Math.max(0, all.length - MOST[subject] + 1))) end(session, id, now);
      add(session, note, now);
    },
    drop(session, subject, about, now) {
      const known = waiting(session, subject).find((one) => one.about === about);
      if (known) end(session, known.id, now);
      return known !== undefined;
    },
  };
}
