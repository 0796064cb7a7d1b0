import type { SystemOut } from '@nanoclaw/protocol';
import type { Session } from './db/sessions.ts';

export type Figures = Extract<SystemOut, { action: 'usage' }>;

/** What agents spend, to the core; `assistant/usage/` sees to it. */
export interface Spending {
  /** Inside a transaction. `about`: the message that its turn is about, as the sandbox says. */
  report(session: Session, figures: Figures, about: string | null, now: number): void;
  /** Its messages wait until its agent may spend again. Asked for every message: in memory, as the next one. */
  isHeld(sessionId: string): boolean;
  /** The highest number that its sandbox is shown meanwhile: what it has seen, it may be at. */
  limit(sessionId: string): number;
}
