import type { DatabaseSync } from 'node:sqlite';
import type { ButtonPress, ChannelCapabilities, ChannelHost, InboundEvent } from '../../src/channels/adapter.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import type { GroupCommit } from '../../src/db/group-commit.ts';
import type { Logger } from '../../src/log/index.ts';
import { ensureUser } from '../../src/people/roles.ts';
import type { Answered, Words } from '../../src/router.ts';
import type { Ending } from './ending.ts';
import type { People } from './people.ts';
import type { Question, Table } from './table.ts';
import { type Answer, outcomeText, readAnswer, readData } from './words.ts';

/** One answer: by a button, a number or words, by somebody who may. */

export interface AnsweringParts {
  db: DatabaseSync;
  commit: GroupCommit;
  table: Table;
  people: People;
  ending: Ending;
  deliveries: Pick<Deliveries, 'sentAs'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  /** Quickly; the place as `channel\nchat`. */
  isOpenIn(place: string): boolean;
  log: Logger;
}

export interface Answering {
  words: Words;
  press: ChannelHost['press'];
}

const NO_USE = 'This button has no use any more.';

export function createAnswering(parts: AnsweringParts): Answering {
  const { db, commit, table, people, ending, deliveries, log } = parts;

  function tell(question: Question, reader: string): string {
    return outcomeText(question, question.answeredBy === reader ? 'You' : people.whoAnswered(question));
  }

  function take(question: Question, answer: Answer, by: Answerer, now: number, isSaid: boolean): Answered {
    ensureUser(db, by.senderId, by.senderName, now);
    const after = ending.finish(question, 'answered', { ...answer, answeredBy: by.senderId }, now, isSaid);
    log.info('question answered', { session: question.sessionId, question: question.id, by: by.senderId });
    return { text: tell(table.get(question.id) ?? question, by.senderId), after };
  }

  /** A card that was passed on shows up where it never was. */
  function isWhereShown({ channel_type, platform_id, messageId }: Question, press: ButtonPress): boolean {
    if (channel_type !== press.channelType || platform_id !== press.platformId) return false;
    const sentAs = messageId === null ? undefined : deliveries.sentAs(messageId);
    // It may be pressed before its delivery is noted; and not every platform says which message it was.
    return sentAs === undefined || press.platformMessageId === undefined || sentAs === press.platformMessageId;
  }

  function pressed(press: ButtonPress, now: number): Pressed {
    const data = readData(press.data);
    const question = data && table.get(data.id);
    if (!data || !question) return refuses(NO_USE);
    if (!isWhereShown(question, press)) {
      return refuses('This card was passed on: it can be used only where it was first shown.');
    }
    if (!people.mayAnswer(press.senderId, question)) return refuses('This question is not for you.');
    if (question.status !== 'open') return refuses(tell(question, press.senderId));
    const result = question.options[data.choice];
    return result === undefined ? refuses(NO_USE) : take(question, { choice: data.choice, result }, press, now, false);
  }

  /** The newest first, but before all others the one that it replies to. */
  function candidates(event: InboundEvent): { question: Question; isReply: boolean }[] {
    const repliesTo = event.replyTo?.id;
    return table
      .inChat(event.channelType, event.platformId, event.threadId)
      .map((question) => {
        const sentAs = question.messageId === null ? undefined : deliveries.sentAs(question.messageId);
        return { question, isReply: repliesTo !== undefined && sentAs === repliesTo };
      })
      .toSorted((a, b) => Number(b.isReply) - Number(a.isReply));
  }

  return {
    words: {
      mayBe: ({ channelType, platformId, attachments }) =>
        !attachments?.length && parts.isOpenIn(`${channelType}\n${platformId}`),
      answer(event, now) {
        const isNumbered = !parts.capabilities(event.channelType)?.buttons;
        for (const { question, isReply } of candidates(event)) {
          // Once nobody waits, words may be meant for what was said since.
          if (!question.waits && !isReply) continue;
          const answer = readAnswer(question.options, { text: event.text, isReply, isNumbered });
          if (answer && people.mayAnswer(event.senderId, question)) return take(question, answer, event, now, true);
        }
        return undefined;
      },
    },
    async press(press, refused) {
      try {
        const { text, after, isRefused } = await commit.run(() => pressed(press, Date.now()));
        after();
        if (isRefused) refused?.();
        return text;
      } catch (error) {
        log.error('an answer was not taken', { by: press.senderId, error });
        refused?.();
        return 'That could not be done now. Nothing was changed: please try again.';
      }
    },
  };
}

type Answerer = Pick<ButtonPress, 'senderId' | 'senderName'>;

interface Pressed extends Answered {
  isRefused?: boolean;
}

function refuses(text: string): Pressed {
  return { text, after() {}, isRefused: true };
}
