import type { DatabaseSync } from 'node:sqlite';
import type { Activity } from '../../src/activity.ts';
import type { Messages } from '../../src/db/messages.ts';

/** Rows that wait for an agent, rewritten in their place; and whether it had read them nevertheless. */

export interface Row {
  id: string;
  sessionId: string;
  trigger: boolean;
  isOpen: boolean;
}

export interface UnreadParts {
  db: DatabaseSync;
  messages: Pick<Messages, 'openById'>;
  /** Of the session's sandbox, while it has one. */
  activity(sessionId: string): Pick<Activity, 'held' | 'turnSince'> | undefined;
  /** Monotonic, in ms. */
  now?: () => number;
}

export interface Unread {
  is(row: Row): boolean;
  /** `tell` runs when it comes out that the agent had read it before. Inside a transaction. */
  rewrite(row: Row, content: unknown, tell: () => void): void;
  /** A look at what the session's agent does. Returns what is to be told. */
  look(sessionId: string): (() => void)[];
}

/** What an agent takes within that time of a rewrite, it may have read as it was. */
const DOUBT_MS = 2_000;

interface Doubt extends Row {
  tell: () => void;
  until: number;
  turn: number | null;
}

export function createUnread({ db, messages, activity, now = () => performance.now() }: UnreadParts): Unread {
  const write = db.prepare('UPDATE messages SET content = ? WHERE id = ?');
  const doubts = new Map<string, Doubt>();
  const isHeld = ({ sessionId, id }: Row) => activity(sessionId)?.held.has(id) ?? false;

  /** What rides along is not said to be held: it may be read by a turn from its beginning to its end. */
  const isOver = ({ trigger, sessionId, turn, until }: Doubt) =>
    now() > until && (trigger || turn === null || activity(sessionId)?.turnSince !== turn);

  return {
    is: (row) => row.isOpen && !isHeld(row),
    rewrite(row, content, tell) {
      write.run(JSON.stringify(content), row.id);
      const sandbox = activity(row.sessionId);
      for (const [id, doubt] of doubts) if (isOver(doubt)) doubts.delete(id);
      if (sandbox) doubts.set(row.id, { ...row, tell, until: now() + DOUBT_MS, turn: sandbox.turnSince });
    },
    look(sessionId) {
      const told: (() => void)[] = [];
      for (const [id, doubt] of doubts) {
        if (doubt.sessionId !== sessionId) continue;
        const wasRead = isHeld(doubt) || messages.openById(sessionId, id) === undefined;
        if (wasRead) told.push(doubt.tell);
        if (wasRead || isOver(doubt)) doubts.delete(id);
      }
      return told;
    },
  };
}
