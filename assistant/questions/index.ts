import type { DatabaseSync } from 'node:sqlite';
import { isoTime, type MessageInRow, type Origin, type QuestionReport } from '@nanoclaw/protocol';
import type { ChannelCapabilities, ChannelHost } from '../../src/channels/adapter.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import { type GroupCommit, transaction } from '../../src/db/group-commit.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { Questioning } from '../../src/questioning.ts';
import type { Words } from '../../src/router.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { createAnswering } from './answering.ts';
import { createEnding } from './ending.ts';
import { createPeople } from './people.ts';
import { createTable, type Question } from './table.ts';
import { cardOf, readable, reportText } from './words.ts';

/** What agents ask people: shown once, answered once, and told to whoever asked, whatever died meanwhile. */

export interface QuestionsParts {
  db: DatabaseSync;
  commit: GroupCommit;
  roles: Roles;
  wirings: Pick<Wirings, 'chat' | 'of'>;
  takeOver: TakeOver;
  deliveries: Pick<Deliveries, 'sentAs'>;
  messages: Pick<Messages, 'openById'>;
  sessions: Pick<Sessions, 'get' | 'takeSeq'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  deliver(messageIds: readonly string[]): void;
  /** inbound.db, for a sandbox that runs. */
  publish(sessionId: string): void;
  /** The same, and a sandbox for it. */
  wake(sessionId: string): void;
  /** Its turn goes on: the time that it waited for a person isn't work. */
  onAnswered(sessionId: string): void;
  log: Logger;
}

export interface Questions extends Questioning {
  words: Words;
  press: ChannelHost['press'];
  /** It could not be shown. Inside a transaction. */
  undeliverable(messageId: string, error: string, now: number): void;
  /** Whether its turn waits for an answer; quickly. */
  isWaiting(sessionId: string): boolean;
  /** Now and then, and when messages have ended: what nobody waits for any more. */
  look(now: number): void;
}

/** After that, nobody answers any more. */
const OPEN_MS = 24 * 3_600_000;
/** For the tool to say that it has given up; then it is gone. */
const GRACE_MS = 60_000;
const MAX_OPEN = 20;
const MAX_WAITING = 50;
const NOWHERE: Origin = { channel_type: null, platform_id: null, thread_id: null };

export function createQuestions(parts: QuestionsParts): Questions {
  const { db, takeOver, messages, sessions, publish } = parts;
  const table = createTable(db);
  const people = createPeople(parts);
  const ending = createEnding({ ...parts, table, people, changed: noteOpen });
  /** Where any is open, so that other messages cost nothing. */
  let places: ReadonlySet<string> = new Set();
  let waiting: ReadonlySet<string> = new Set();
  /** Whether there is one to look at. */
  let isUnsettled = false;
  const isSent = db.prepare("SELECT 1 FROM deliveries WHERE message_id = ? AND status = 'sent'");
  const turn = db.prepare('SELECT status, outcome FROM messages WHERE id = ? AND session_id = ?');
  const answering = createAnswering({ ...parts, table, people, ending, isOpenIn: (place) => places.has(place) });

  function noteOpen(): void {
    places = new Set(table.chats().map(({ channelType, platformId }) => `${channelType}\n${platformId}`));
    waiting = new Set(table.sessions());
    isUnsettled = true;
  }

  /** What is wrong with it, in a sentence for the agent. */
  function problemOf(sessionId: string, place: Origin | undefined, shown: unknown): string | undefined {
    if (!place) return 'you may not ask there.';
    if (!shown) return 'an option is empty, or there twice.';
    return table.countOpen(sessionId) > MAX_OPEN ? `${MAX_OPEN} questions are open already.` : undefined;
  }

  const asked: Questioning['asked'] = (session, ask, place, inReplyTo, now) => {
    const turnOf = inReplyTo !== null && messages.openById(session.id, inReplyTo) ? inReplyTo : null;
    const waitsUntil = now + ask.waitMs + GRACE_MS;
    const reportSeq = sessions.takeSeq(session.id);
    const known = table.find(session.id, ask.question);
    // Nobody reads what came of those before: its tool waits in vain.
    if (!known?.waits && table.countWaiting(session.id) >= MAX_WAITING) return [];
    if (known) {
      // Its turn is tried again: it is shown already, perhaps answered.
      table.wait(known.id, reportSeq, waitsUntil, turnOf);
      noteOpen();
      return [];
    }
    const shown = readable(ask);
    const question = table.add(
      {
        ...(shown ?? { title: '', body: '', options: [] }),
        sessionId: session.id,
        key: ask.question,
        turnOf,
        place: place ?? NOWHERE,
        askedOf: people.speakers(session.id, turnOf, place ?? NOWHERE),
        card: ask.waitMs === 0,
        reportSeq,
        waitsUntil,
        expiresAt: now + OPEN_MS,
      },
      now,
    );
    const problem = problemOf(session.id, place, shown);
    if (problem !== undefined || !place) {
      table.end(question.id, 'failed', { result: problem ?? '' }, now);
      isUnsettled = true;
      return [];
    }
    const { text, card } = cardOf(question, people.namesOf(question));
    const messageId = takeOver.say(place, session.id, text, inReplyTo, now, { card });
    table.show(question.id, messageId);
    noteOpen();
    return [messageId];
  };

  function isShown({ messageId }: Question): boolean {
    return messageId !== null && isSent.get(messageId) !== undefined;
  }

  /** What time, or the end of its turn, makes of it. */
  function due(question: Question, now: number): (() => () => void) | undefined {
    const { status, waits, turnOf, sessionId } = question;
    const row = turnOf === null ? undefined : turn.get(turnOf, sessionId);
    const isOver = turnOf !== null && row?.status !== 'pending' && row?.status !== 'paused';
    const isLeft = sessions.get(sessionId)?.status !== 'active' || (isOver && row?.outcome === 'stopped');
    if (status === 'open' && isLeft) {
      return () => ending.finish(question, 'withdrawn', { result: null }, now);
    }
    if (status === 'open' && Date.parse(question.expires_at) <= now) {
      return () => ending.finish(question, 'expired', { result: null }, now);
    }
    if (waits && (isOver || Date.parse(question.waitsUntil) <= now)) return () => ending.rest(question, now);
    return undefined;
  }

  noteOpen();
  return {
    asked,
    askedLater(session, key, now) {
      const question = table.find(session.id, key);
      // Published, and a sandbox started for it, like all that comes of what was taken over.
      if (question) ending.rest(question, now);
      noteOpen();
    },
    read(session, rowId) {
      const [, id = '', seq] = /^(q-[a-z0-9]{1,32})-(\d+)$/.exec(rowId) ?? [];
      const question = id === '' ? undefined : table.get(id);
      if (question?.sessionId !== session.id || question.reportSeq !== Number(seq)) return;
      if (table.rest(id)) publish(session.id);
    },
    reports: (sessionId) =>
      table
        .waiting(sessionId)
        .filter((question) => question.status !== 'open' || (question.card && isShown(question)))
        .map((question) => rowOf(question, people.whoAnswered(question))),
    isWaiting: (sessionId) => waiting.has(sessionId),
    words: answering.words,
    press: answering.press,
    undeliverable(messageId, error, now) {
      const question = table.shownAs(messageId);
      if (question?.status === 'open') setImmediate(ending.finish(question, 'failed', { result: error }, now));
    },
    look(now) {
      if (!isUnsettled) return;
      const unsettled = table.unsettled();
      isUnsettled = unsettled.length > 0;
      const works = unsettled.flatMap((question) => due(question, now) ?? []);
      if (works.length === 0) return;
      for (const after of transaction(db, () => works.map((work) => work()))) after();
    },
  };
}

/** Paused: not for the runner to take up. */
function rowOf(question: Question, who: string): MessageInRow {
  const { id, reportSeq: seq, status, created_at } = question;
  const content: QuestionReport = {
    action: 'question',
    question: question.key,
    status: status === 'open' ? 'shown' : status,
    text: reportText(question, who),
  };
  const nowhere = { ...NOWHERE, source_session_id: null };
  const waits = { status: 'paused' as const, process_after: null, tries: 0, trigger: 0 as const, on_wake: 0 as const };
  const timestamp = isoTime(Date.parse(created_at));
  return { id: `${id}-${seq}`, seq, kind: 'system', timestamp, ...waits, ...nowhere, content: JSON.stringify(content) };
}
