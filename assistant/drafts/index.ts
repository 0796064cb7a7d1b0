import type { DatabaseSync } from 'node:sqlite';
import { Draft, type Origin } from '@nanoclaw/protocol';
import type { ChannelCapabilities } from '../../src/channels/adapter.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import type { Messages, OpenMessage } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { DeliveryQueue } from '../../src/delivery/index.ts';
import type { Drafting, Grown } from '../../src/drafting.ts';
import type { Logger } from '../../src/log/index.ts';
import { parseJson, pick } from '../../src/take-over/content.ts';
import { type Effects, noEffects } from '../../src/take-over/effects.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { workedText } from '../alive/words.ts';
import { createGrowth } from './growth.ts';
import { draftMessage, shownOf } from './message.ts';
import { createStore, type OpenDraft } from './store.ts';

/**
 * What an agent is still writing: shown where the message waits that it answers, until an answer takes its place or none
 * will come.
 */

export interface DraftsParts {
  db: DatabaseSync;
  messages: Messages;
  deliveries: Deliveries;
  takeOver: Pick<TakeOver, 'say'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  between: DeliveryQueue['between'];
  log: Logger;
}

export interface Drafts extends Drafting {
  /** It has become longer. */
  grown(draft: Grown): void;
  /** Whether what stands there can be seen to change. */
  streams(channelType: string | null): boolean;
  /** What is done meanwhile: said, or changed where it stands. Inside a transaction, as the next; both return what is to be delivered. */
  line(session: Session, answered: OpenMessage, text: string, now: number): string[];
  /** It is over, or stands above something else; with `said`: where that was said. */
  leaveLine(session: Session, now: number, said?: Origin): string[];
  /** Sessions of an earlier host's that have one. */
  withLine(): string[];
}

export function createDrafts(parts: DraftsParts): Drafts {
  const { db, messages, deliveries, takeOver, capabilities } = parts;
  const store = createStore(db);
  const growth = createGrowth({ ...parts, store });

  function end(session: Session, open: OpenDraft): string {
    store.end(session.id);
    return growth.forget(open.id) ?? open.text;
  }

  function breakOff(session: Session, open: OpenDraft, now: number, effects: Effects): void {
    const newest = end(session, open);
    const can = open.channel_type === null ? undefined : capabilities(open.channel_type);
    // What replaces a line must not be a line more.
    if (!open.isShown || (open.isLine && can?.streams === false)) return;
    const broken = can ? shownOf(can, open.text, BROKEN_OFF) : open.text + BROKEN_OFF;
    const edits = { message: open.id, text: open.isLine ? workedText(newest) : broken };
    // Where it can't be changed any more, there is nothing to say: what went wrong is told in words of its own.
    effects.deliver.push(takeOver.say(open, session.id, '', open.inReplyTo, now, { edits }));
  }

  function streams(channelType: string | null): boolean {
    const { edits = false, streams = edits } = (channelType !== null && capabilities(channelType)) || {};
    return edits && streams;
  }

  return {
    show(session, value, now, effects) {
      const draft = parseJson(value, Draft);
      // Where it goes is the host's to know: where what it answers came from.
      const answered = draft?.answers.map((id) => messages.openById(session.id, id)).findLast((one) => one?.trigger);
      if (!draft || !answered || !streams(answered.channel_type)) return;
      const open = store.of(session.id);
      if (open?.isAwaited && !open.isLine && isAt(open, answered)) {
        if (draft.text !== open.text) effects.draft = { id: open.id, place: pick(open), text: draft.text };
        return;
      }
      const id = takeOver.say(answered, session.id, draft.text, answered.id, now, { draft: 'answer' });
      // The news first: it is what somebody waits for.
      effects.deliver.push(id);
      if (open) breakOff(session, open, now, effects);
      store.begin(session.id, id);
    },
    finish(session, place) {
      const open = store.of(session.id);
      // One whose message has ended is broken off: what is said since has a place of its own, below. A change of a line would call nobody back.
      if (!open?.isAwaited || open.isLine || !isAt(open, place)) return undefined;
      end(session, open);
      return open.id;
    },
    close(session, now, effects, concerns) {
      const open = store.of(session.id);
      if (!open) return;
      const isOver = concerns ? concerns.some(({ id }) => id === open.inReplyTo) : !open.isAwaited;
      if (isOver) breakOff(session, open, now, effects);
    },
    begins(adapter, delivery, text) {
      const { messageId: id, inReplyTo, unknowns, agentName } = delivery;
      // One that may stand there is found again by its key; else it, or one that is finished by now, is let go.
      const isFound = unknowns > 0 && adapter.capabilities.idempotencyKey;
      if (!isFound && (unknowns > 0 || !store.isOpen(id))) return undefined;
      const quotes = deliveries.quotes(id);
      return {
        ...draftMessage(adapter, { id, place: delivery, text }),
        ...(inReplyTo !== null && { inReplyTo }),
        ...(agentName !== null && { speaker: agentName }),
        ...(quotes !== undefined && { quotes }),
      };
    },
    grown: growth.newest,
    streams,
    line(session, answered, text, now) {
      const open = store.of(session.id);
      if (open && !open.isLine) return [];
      if (open?.isShown && isAt(open, answered) && streams(open.channel_type)) {
        growth.newest({ id: open.id, place: pick(open), text });
        return [];
      }
      const effects = noEffects();
      if (open) breakOff(session, open, now, effects);
      const id = takeOver.say(answered, session.id, text, answered.id, now, { draft: 'line' });
      store.begin(session.id, id);
      return [...effects.deliver, id];
    },
    leaveLine(session, now, said) {
      const open = store.of(session.id);
      const effects = noEffects();
      if (open?.isLine && (!said || isAt(open, said))) breakOff(session, open, now, effects);
      return effects.deliver;
    },
    withLine: store.withLine,
  };
}

const BROKEN_OFF = '\n\n(broken off)';

function isAt(open: Origin, place: Origin): boolean {
  return (
    open.channel_type === place.channel_type &&
    open.platform_id === place.platform_id &&
    open.thread_id === place.thread_id
  );
}
