import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import type { ChannelCapabilities } from '../../src/channels/adapter.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { People } from './people.ts';
import type { Ended, Question, Result, Table } from './table.ts';
import { endedText, outcomeText, reportText } from './words.ts';

/** How a question ends: where it stands, everybody sees it; the agent is told by the tool that waits, or by a message. */

export interface EndingParts {
  db: DatabaseSync;
  table: Table;
  people: People;
  takeOver: TakeOver;
  sessions: Pick<Sessions, 'get'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  deliver(messageIds: readonly string[]): void;
  publish(sessionId: string): void;
  wake(sessionId: string): void;
  onAnswered(sessionId: string): void;
  /** One is open no longer, or nobody waits for it. */
  changed(): void;
}

export interface Ending {
  /** Inside a transaction; what is returned runs after the commit. `isSaid`: whoever answered is told by a message there. */
  finish(question: Question, status: Ended, result: Result, now: number, isSaid?: boolean): () => void;
  /** No tool waits for it any more. The same. */
  rest(question: Question, now: number): () => void;
}

export function createEnding(parts: EndingParts): Ending {
  const { db, table, people, takeOver, sessions } = parts;
  const placeOf = db.prepare(
    'SELECT channel_type, platform_id, thread_id FROM messages WHERE id = ? AND session_id = ?',
  );
  const ownChat = db.prepare('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?');
  const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null);

  /** Where the agent was when it asked: there it goes on. */
  function homeOf({ turnOf, sessionId, ...place }: Question, session: Session): Origin {
    const row = turnOf === null ? undefined : placeOf.get(turnOf, sessionId);
    const own = session.messagingGroupId === null ? undefined : ownChat.get(session.messagingGroupId);
    const found = row ?? (own && { ...own, thread_id: session.threadId }) ?? place;
    return {
      channel_type: textOrNull(found.channel_type),
      platform_id: textOrNull(found.platform_id),
      thread_id: textOrNull(found.thread_id),
    };
  }

  function edit(question: Question, isSaid: boolean, now: number): string[] {
    const { messageId, channel_type, title, sessionId, status } = question;
    if (messageId === null || channel_type === null || status === 'failed') return [];
    // Where nothing can be changed, only an answer by somebody else is worth a line.
    if (!parts.capabilities(channel_type)?.edits && (isSaid || status !== 'answered')) return [];
    const who = people.whoAnswered(question);
    const edits = { message: messageId, text: endedText(question, who) };
    return [takeOver.say(question, sessionId, `${title}: ${outcomeText(question, who)}`, null, now, { edits })];
  }

  /** By a message: a turn of its own for an answer, a note for the rest. Returns whether there is something to wake for. */
  function tell(question: Question, now: number): boolean {
    const session = sessions.get(question.sessionId);
    const { status, title } = question;
    if (session?.status !== 'active' || status === 'open' || status === 'withdrawn') return false;
    const text = `Your question “${title}”: ${reportText(question, people.whoAnswered(question))}`;
    const isAnswered = status === 'answered';
    takeOver.tellAgent(session, 'question', status, text, now, isAnswered ? homeOf(question, session) : undefined);
    return isAnswered;
  }

  const rest: Ending['rest'] = (question, now) => {
    const { sessionId, id, status } = question;
    // A card that was shown has nothing more to report.
    const isNews = table.rest(id) && status !== 'open' && tell(question, now);
    return () => {
      parts.changed();
      (isNews ? parts.wake : parts.publish)(sessionId);
    };
  };

  return {
    rest,
    finish(question, status, result, now, isSaid = false) {
      const { id, sessionId, waits } = question;
      if (!table.end(id, status, result, now)) return () => {};
      const ended = table.get(id) ?? question;
      const said = edit(ended, isSaid, now);
      const isNews = !waits && tell(ended, now);
      return () => {
        parts.changed();
        parts.deliver(said);
        if (status === 'answered') parts.onAnswered(sessionId);
        (isNews ? parts.wake : parts.publish)(sessionId);
      };
    },
  };
}
