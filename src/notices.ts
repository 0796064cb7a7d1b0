import type { DatabaseSync } from 'node:sqlite';
import { cleanText, INSIDE } from '@nanoclaw/protocol';
import type { Delivery } from './db/deliveries.ts';
import { transaction } from './db/group-commit.ts';
import type { Messages, OpenMessage } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import type { Logger } from './log/index.ts';
import type { LeftOut, Mounts } from './sandbox/mounts/index.ts';
import { asNanoError } from './system-error.ts';
import { readContent } from './take-over/content.ts';
import { isNote, type TakeOver } from './take-over/index.ts';

/** What the host says where somebody waits for an agent, and to the agent itself, about what it could not do. */

export interface NoticesParts {
  db: DatabaseSync;
  messages: Pick<Messages, 'asked'>;
  sessions: Pick<Sessions, 'get'>;
  takeOver: TakeOver;
  mounts: Pick<Mounts, 'takeNews'>;
  deliver(messageIds: readonly string[]): void;
  /** Nothing can be said there any more. */
  isGone(channelType: string, platformId: string): boolean;
  log: Logger;
}

export interface Notices {
  /** Where its oldest message waits. False: nobody waits. */
  sayWhereAsked(sessionId: string, text: string): boolean;
  /** True: the chat has been told. */
  notHandedOn(sessionId: string, error: unknown, isNew: boolean): boolean;
  /** Once for each reason. */
  leftOut(session: Session, leftOut: readonly LeftOut[]): void;
  /** Inside a transaction; returns what to deliver. */
  undeliverable(delivery: Delivery, error: string, now: number): string[];
}

const SHOWN_ERROR = 200;

export function createNotices(parts: NoticesParts): Notices {
  const { db, messages, sessions, takeOver, mounts, deliver, log } = parts;
  const say = (open: OpenMessage, sessionId: string, text: string, now: number) =>
    takeOver.say(open, sessionId, text, open.id, now);

  function sayWhereAsked(sessionId: string, text: string): boolean {
    const open = messages.asked(sessionId);
    if (open) deliver([transaction(db, () => say(open, sessionId, text, Date.now()))]);
    return open !== undefined;
  }

  return {
    sayWhereAsked,
    notHandedOn(sessionId, error, isNew) {
      if (isNew) log.error('inbound.db was not published', { session: sessionId, error });
      const why = asNanoError(error).message;
      try {
        return sayWhereAsked(
          sessionId,
          `⚠️ I can't hand on what you wrote: ${why} I'll go on as soon as that is mended.`,
        );
      } catch (failed) {
        if (isNew) log.error('nobody could be told', { session: sessionId, error: failed });
        return false;
      }
    },
    leftOut(session, leftOut) {
      const now = Date.now();
      const open = messages.asked(session.id);
      if (!open) return;
      const notes = transaction(db, () =>
        mounts.takeNews(session.agentGroupId, leftOut, now).map(({ name, sentence }) => {
          takeOver.tellAgent(session, 'mounts', 'left-out', `${INSIDE.extra}/${name} is not there: ${sentence}`, now);
          const text = `⚠️ I have to do without your folder “${name}”: ${sentence}. \`ncl mounts list\` says what helps.`;
          return say(open, session.id, text, now);
        }),
      );
      deliver(notes);
    },
    undeliverable(delivery, error, now) {
      const { sessionId, messageId } = delivery;
      const session = sessionId === null ? undefined : sessions.get(sessionId);
      // What the host itself says, this notice too, is not worth another one.
      if (!session || isNote(messageId)) return [];
      takeOver.tellAgent(session, 'delivery', 'failed', `Message ${messageId} could not be delivered: ${error}`, now);
      if (parts.isGone(delivery.channel_type ?? '', delivery.platform_id ?? '')) return [];
      if (readContent(messageId, delivery.content).reacts) return [];
      const text = `⚠️ An answer of mine was refused here: ${cleanText(error.slice(0, SHOWN_ERROR))}`;
      return [takeOver.say(delivery, sessionId, text, delivery.inReplyTo, now)];
    },
  };
}
