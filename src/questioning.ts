import type { MessageInRow, Origin, SystemOut } from '@nanoclaw/protocol';
import type { Session } from './db/sessions.ts';

export type Ask = Extract<SystemOut, { action: 'ask' }>;

/** What agents' questions to people are to the core; `assistant/questions/` sees to them. */
export interface Questioning {
  /**
   * Inside a transaction, as the next two. `place`: undefined where the agent may not ask. `inReplyTo`: what its turn is about.
   * Returns what is to be delivered.
   */
  asked(session: Session, ask: Ask, place: Origin | undefined, inReplyTo: string | null, now: number): string[];
  /** No tool waits for it any more. */
  askedLater(session: Session, key: string, now: number): void;
  /** The agent has acknowledged something that isn't a message to it: its report, perhaps. */
  read(session: Session, rowId: string): void;
  /** What belongs into its inbound.db for the tools that wait. */
  reports(sessionId: string): readonly MessageInRow[];
}
