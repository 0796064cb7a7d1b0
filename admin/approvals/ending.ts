import type { DatabaseSync } from 'node:sqlite';
import type { Audit } from '../../src/audit/index.ts';
import type { ChannelCapabilities } from '../../src/channels/adapter.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import { isCard } from './asking.ts';
import { bodyText, inline, outcomeText, shortId } from './card.ts';
import type { HeldEvents } from './held.ts';
import type { Status } from './states.ts';
import type { Approval, Decision, Shown, Table } from './table.ts';

/** What follows a decision, or the lack of one: everybody who saw the card, whoever asked, and what waited. */

export interface EndingParts {
  db: DatabaseSync;
  table: Table;
  audit: Audit;
  takeOver: TakeOver;
  sessions: Sessions;
  held: Pick<HeldEvents, 'letGo'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  deliver(messageIds: readonly string[]): void;
  /** Its agent has something to read. */
  wake(sessionId: string): void;
  replay(approvalId: string): void;
  /** Who is asked for a name has changed, perhaps. */
  noteNaming(): void;
}

export interface Extras {
  /** For the chat that asked. */
  say?: string | undefined;
  /** Where whoever decided reads the answer to it as a message: no second one is needed there. */
  answeredIn?: { channelType: string; platformId: string } | undefined;
}

/** One that has left its state, and the cards that it had: what is done by it may remove it altogether. */
export interface Claimed {
  approval: Approval;
  cards: readonly Shown[];
}

export interface Ending {
  /** Inside a transaction. Throws when it was in another state: the caller has looked. */
  claim(approval: Approval, to: Exclude<Status, 'pending'>, decision: Decision, now: number): Claimed;
  /** Tells of it. Inside the same transaction; what is returned runs after the commit. */
  follow(claimed: Claimed, now: number, extras?: Extras): () => void;
  /** How it stands, in a sentence; `you` is the one who reads it. */
  tell(approval: Approval, you?: string): string;
}

export function createEnding(parts: EndingParts): Ending {
  const { db, table, audit, takeOver, sessions } = parts;
  const nameOf = db.prepare('SELECT display_name FROM users WHERE id = ?');

  function tell(approval: Approval, you?: string): string {
    const by = approval.decided_by ?? '';
    return outcomeText(approval, by === you ? 'You' : inline(String(nameOf.get(by)?.display_name ?? by)));
  }

  /** Each card, wherever it hangs, says from now on how it ended. */
  function editCards({ approval, cards }: Claimed, answeredIn: Extras['answeredIn'], now: number): string[] {
    const line = tell(approval);
    const full = [approval.title, '', bodyText(approval.body), '', line].join('\n');
    return cards.flatMap((card) => {
      const { channelType, platformId, messageId } = card;
      const isRead = answeredIn?.channelType === channelType && answeredIn.platformId === platformId;
      if (!isCard(card) || (isRead && !parts.capabilities(channelType)?.edits)) return [];
      const origin = { channel_type: channelType, platform_id: platformId, thread_id: null };
      const edits = { message: messageId, text: full };
      return [takeOver.say(origin, null, `${approval.title}\n${line}`, null, now, { edits })];
    });
  }

  /** The agent that asked goes on, in the chat where it asked. Returns the session to wake. */
  function tellAgent(approval: Approval, now: number): string | undefined {
    const session = approval.sessionId === null ? undefined : sessions.get(approval.sessionId);
    if (session?.status !== 'active') return undefined;
    const text = `Your request ${shortId(approval.id)} (${approval.title}): ${tell(approval)}`;
    takeOver.tellAgent(session, 'approval', approval.status, text, now, approval);
    return session.id;
  }

  return {
    tell,
    claim(approval, to, decision, now) {
      if (!table.move(approval.id, approval.status, to, decision, now)) {
        throw new Error(`${approval.id} was decided meanwhile.`);
      }
      const { by: decided_by, option, result } = decision;
      return {
        approval: { ...approval, status: to, decided_by, decision: option, result },
        cards: table.shown(approval.id),
      };
    },
    follow(claimed, now, { say, answeredIn } = {}) {
      const { id, kind, subject, status, options, decision, decided_by, result } = claimed.approval;
      const option = options[decision ?? -1]?.label;
      const detail = { kind, of: subject, ...(option && { option }), ...(result && { result }) };
      audit.record({ actor: decided_by ?? 'host', action: `approval.${status}`, subject: id, detail }, now);
      const said = editCards(claimed, answeredIn, now);
      if (status === 'naming') {
        return () => {
          parts.noteNaming();
          parts.deliver(said);
        };
      }
      if (say !== undefined) said.push(takeOver.say(claimed.approval, null, say, null, now));
      const session = tellAgent(claimed.approval, now);
      const dropFiles = status === 'approved' ? undefined : parts.held.letGo(id, `approval-${status}`, now);
      return () => {
        parts.noteNaming();
        parts.deliver(said);
        if (session !== undefined) parts.wake(session);
        if (dropFiles) dropFiles();
        else parts.replay(id);
      };
    },
  };
}
