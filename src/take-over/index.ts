import type { DatabaseSync } from 'node:sqlite';
import { ChatOut, faultPoint, type MessageOutRow, type Origin, SystemOut } from '@nanoclaw/protocol';
import { type Deliveries, type Found, outboundId } from '../db/deliveries.ts';
import type { Messages, OpenMessage } from '../db/messages.ts';
import type { Session, Sessions } from '../db/sessions.ts';
import type { Drafting } from '../drafting.ts';
import type { Failure } from '../failures.ts';
import type { OutboundSnapshot } from '../mailbox/outbound-reader.ts';
import type { Questioning } from '../questioning.ts';
import type { Spending } from '../spending.ts';
import type { Tasking } from '../tasking.ts';
import { parseJson, pick } from './content.ts';
import { type Effects, noEffects } from './effects.ts';
import { createReach } from './reach.ts';
import { createSettling } from './settling.ts';
import { createSpeech, type Speech } from './speech.ts';

export { isNote } from './content.ts';
export { type Effects, noEffects, type Settled } from './effects.ts';

/** Step 5 of a message's way: what an agent wrote becomes rows of the central database, each once. */

export interface TakeOver extends Pick<Speech, 'say' | 'tellAgent'> {
  /** Inside a transaction. Trusts nothing in the snapshot but its row shapes. */
  apply(session: Session, snapshot: OutboundSnapshot, now: number): Effects;
  /** The same decisions for messages that failed on the host's side: no start, a dead sandbox. Inside a transaction. */
  fail(session: Session, messages: readonly OpenMessage[], failure: Failure, now: number): Effects;
}

export interface TakeOverParts {
  db: DatabaseSync;
  messages: Messages;
  deliveries: Deliveries;
  sessions: Sessions;
  /** Left out: no answer is shown while it is written. */
  drafts?(): Drafting;
  /** Left out: agents ask nobody. */
  questions?(): Questioning;
  /** Left out: there are no tasks. */
  tasks?(): Tasking;
  /** Left out: nobody counts what they spend. */
  spending?(): Pick<Spending, 'report'>;
}

export function createTakeOver(parts: TakeOverParts): TakeOver {
  const { db, messages, deliveries, sessions, questions, drafts } = parts;
  const reach = createReach(db);
  const speech = createSpeech(db, messages, deliveries);
  const settling = createSettling(messages, speech, parts, (session, rowId) => questions?.().read(session, rowId));
  const { say, tellAgent } = speech;

  function takeChat(session: Session, row: MessageOutRow, now: number, effects: Effects): void {
    const content = parseJson(row.content, ChatOut);
    const about = aboutWhat(session, content);
    const origin = about === 'nothing' ? undefined : reach(session, about ?? row);
    const id = outboundId(session.id, row.id);
    const place = origin ?? row;
    const added = deliveries.addOutbound(
      { ...row, ...pick(place), id, sessionId: session.id, inReplyTo: row.in_reply_to },
      now,
    );
    if (!added) return;
    const problem = problemOf(content, about, origin);
    if (problem !== undefined) {
      effects.refused += 1;
      deliveries.refuse(id, problem, now);
      tellAgent(session, 'delivery', 'failed', `Message ${row.seq} was not sent: ${problem}`, now);
      return;
    }
    const answers = content?.answers ?? [];
    // Written before the agent heard of it: who has read “Stopped.” is not answered after it.
    if (answers.length > 0 && answers.every((answered) => messages.openById(session.id, answered) === undefined)) {
      deliveries.refuse(id, 'What it answers had ended before.', now);
      return;
    }
    for (const answered of answers) messages.noteOutcome(session.id, answered, 'reply');
    const isNext = (content?.progress || answers.length > 0) && content?.text.trim() !== '';
    const takes = typeof about === 'object' ? about.id : isNext ? drafts?.().finish(session, place) : undefined;
    deliveries.queue(id, row.deliver_after, now, takes);
    effects.deliver.push(id);
  }

  /** The message that a row changes, if one of the agent's own, or reacts to. */
  function aboutWhat(session: Session, content: ChatOut | undefined): Found | 'nothing' | undefined {
    const { edits, reacts } = content ?? {};
    const named = reacts ?? edits;
    if (!named) return undefined;
    const found = deliveries.find(session.id, named.message);
    return !found || (!reacts && found.direction === 'in') ? 'nothing' : found;
  }

  function takeSystem(session: Session, row: MessageOutRow, now: number, effects: Effects): void {
    const content = parseJson(row.content, SystemOut);
    if (content?.action === 'ncl') {
      // Not kept: what comes of it is in the audit log, and of a question nothing.
      const { requestId, argv } = content;
      effects.requests.push({ requestId, argv, seq: sessions.takeSeq(session.id) });
      return;
    }
    if (content?.action === 'ask') {
      const place = reach(session, row);
      if (!place) effects.refused += 1;
      effects.deliver.push(...(questions?.().asked(session, content, place, row.in_reply_to, now) ?? []));
      return;
    }
    if (content?.action === 'ask-later') {
      questions?.().askedLater(session, content.question, now);
      return;
    }
    if (content?.action === 'usage') {
      parts.spending?.().report(session, content, row.in_reply_to, now);
      return;
    }
    const id = outboundId(session.id, row.id);
    if (!deliveries.addOutbound({ ...row, id, sessionId: session.id, inReplyTo: row.in_reply_to }, now)) return;
    if (!content) {
      tellAgent(session, 'request', 'failed', 'The host did not understand a request.', now);
    } else {
      const outcome = content.action === 'silence' ? 'silence' : 'stopped';
      for (const answered of content.answers) messages.noteOutcome(session.id, answered, outcome);
    }
  }

  return {
    apply(session, snapshot, now) {
      const effects = noEffects();
      for (const row of snapshot.messages) {
        if (row.kind === 'system') takeSystem(session, row, now, effects);
        else takeChat(session, row, now, effects);
      }
      const last = snapshot.messages.at(-1);
      if (last) {
        sessions.setReceived(session.id, last.seq);
        effects.changed = true;
      }
      // With rows left to read, an acknowledgement may be about an answer that has not been seen yet.
      if (!snapshot.more) {
        if (snapshot.draft !== undefined) drafts?.().show(session, snapshot.draft, now, effects);
        settling.applyAcks(session, snapshot, now, effects);
        drafts?.().close(session, now, effects);
      }
      if (effects.changed) faultPoint('takeover.committing');
      return effects;
    },
    fail: settling.fail,
    say,
    tellAgent,
  };
}

function problemOf(
  content: ChatOut | undefined,
  about: Found | 'nothing' | undefined,
  origin: Origin | undefined,
): string | undefined {
  if (!content) return 'The message has no readable content.';
  if (about === 'nothing') return content.reacts ? 'There is no such message here.' : 'You have sent no such message.';
  return origin ? undefined : 'You may not send there.';
}
