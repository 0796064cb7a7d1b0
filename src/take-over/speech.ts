import type { DatabaseSync } from 'node:sqlite';
import { type ChatOut, isoTime, type Origin, type SystemNote } from '@nanoclaw/protocol';
import type { Deliveries } from '../db/deliveries.ts';
import { newId } from '../db/ids.ts';
import type { Messages, OpenMessage } from '../db/messages.ts';
import type { Session } from '../db/sessions.ts';
import { type HostOut, NOTE, pick } from './content.ts';

/** What the host itself says: in chats, and to agents. All inside a transaction. */

/** Messages that follow each other this closely are told of together, however quickly the first one failed. */
const BURST_MS = 3_000;
/** Notes that wait for an agent's next turn. */
const MAX_NOTES = 20;

export interface Speech {
  /** What the host itself says in a chat. Returns the id to deliver. */
  say(
    origin: Origin,
    sessionId: string | null,
    text: string,
    inReplyTo: string | null,
    now: number,
    extra?: Pick<HostOut, 'card' | 'edits' | 'draft'>,
  ): string;
  /**
   * Tells the agent what became of something that it did: with its next turn, or, given an origin, in a turn of its own
   * that is answered there.
   */
  tellAgent(session: Session, subject: string, status: string, text: string, now: number, wakeFor?: Origin): void;
  /** Whether that has been said of this message, or of one that came with it. */
  isTold(sessionId: string, message: OpenMessage, text: string, now: number): boolean;
}

export function createSpeech(db: DatabaseSync, messages: Messages, deliveries: Deliveries): Speech {
  // What was said after a message was sent, or just before, stands for it, too; and so does what is said of one that waits.
  // With an answer in between it is another story.
  const findTold = db.prepare(
    `SELECT 1 FROM messages n LEFT JOIN messages other ON other.id = n.in_reply_to
     WHERE n.session_id = ?1 AND n.direction = 'out' AND n.seq IS NULL AND n.content = ?2
       AND n.channel_type IS ?3 AND n.platform_id IS ?4 AND n.thread_id IS ?5
       AND (other.status IN ('pending', 'paused') OR n.created_at BETWEEN ?6 AND ?7 AND n.created_at >= ifnull(
         (SELECT created_at FROM messages WHERE session_id = ?1 AND direction = 'out' AND seq IS NOT NULL
          ORDER BY seq DESC LIMIT 1), ''))`,
  );
  return {
    say(origin, sessionId, text, inReplyTo, now, extra) {
      const id = newId(NOTE, now);
      const content = JSON.stringify({ text, ...extra } satisfies HostOut);
      deliveries.addOutbound(
        { ...pick(origin), id, sessionId, seq: null, kind: 'chat', timestamp: isoTime(now), inReplyTo, content },
        now,
      );
      deliveries.queue(id, null, now);
      return id;
    },
    tellAgent(session, subject, status, text, now, wakeFor) {
      // They wait for a turn: one that makes ever more of them doesn't need to read them all.
      if (!wakeFor && messages.countNotes(session.id) >= MAX_NOTES) return;
      const note: SystemNote = { action: 'note', subject, status, text };
      messages.addInbound(
        {
          id: newId('sys', now),
          sessionId: session.id,
          kind: 'system',
          timestamp: isoTime(now),
          trigger: wakeFor !== undefined,
          content: note,
          ...(wakeFor ? pick(wakeFor) : { channel_type: null, platform_id: null, thread_id: session.threadId }),
        },
        now,
      );
    },
    isTold(sessionId, message, text, now) {
      const content = JSON.stringify({ text } satisfies ChatOut);
      const { channel_type, platform_id, thread_id } = message;
      const since = isoTime(Date.parse(message.createdAt) - BURST_MS);
      return findTold.get(sessionId, content, channel_type, platform_id, thread_id, since, isoTime(now)) !== undefined;
    },
  };
}
