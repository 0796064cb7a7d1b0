import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import { heldBy } from './activity.ts';
import type { PlannedEnd } from './container-runner.ts';
import { transaction } from './db/group-commit.ts';
import type { Messages, OpenMessage } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { exitFailure, type Failure } from './failures.ts';
import type { Logger } from './log/index.ts';
import type { OutboundSnapshot } from './mailbox/outbound-reader.ts';
import type { MailboxPull } from './mailbox-pull.ts';
import type { SandboxExit } from './sandbox/driver.ts';
import { type Effects, noEffects, type TakeOver } from './take-over/index.ts';

/** What becomes of a session's open messages when its sandbox is gone, or never came. */

export interface AftermathParts {
  db: DatabaseSync;
  messages: Messages;
  sessions: Sessions;
  takeOver: TakeOver;
  mailbox: MailboxPull;
  /** What went on behind its turns ends with a sandbox. Inside a transaction; returns what to deliver. */
  lost(session: Session, jobs: Jobs, planned: PlannedEnd | undefined, now: number): string[];
  perform(session: Session, effects: Effects): void;
  log: Logger;
}

type Jobs = NonNullable<OutboundSnapshot['background']>;

export interface Aftermath {
  /** Every due message of the session failed, or those that `concerns` names. */
  fail(session: Session, failure: Failure, concerns?: (message: OpenMessage) => boolean): void;
  /** The sandbox has ended; `planned` says why when the host did it. What has a number up to `seenSeq` was there at its start. */
  settle(session: Session, exit: SandboxExit, planned: PlannedEnd | undefined, seenSeq: number): Promise<void>;
  /** The sandbox died with an earlier host. */
  recover(session: Session): Promise<void>;
}

export function createAftermath(parts: AftermathParts): Aftermath {
  const { db, messages, sessions, takeOver, mailbox, log } = parts;

  /** Inside a transaction. */
  function failDue(session: Session, failure: Failure, concerns: (message: OpenMessage) => boolean): Effects {
    const now = Date.now();
    const failed = messages.open(session.id).filter((message) => {
      const due = message.processAfter === null || Date.parse(message.processAfter) <= now;
      return message.trigger && due && concerns(message);
    });
    if (failed.length === 0) return noEffects();
    return takeOver.fail(session, failed, failure, now);
  }

  /** What it held is tried again at once, and the retry says that it was tried before. Inside a transaction. */
  function retryHeld(session: Session, held: ReadonlySet<string>): Effects {
    for (const id of held) messages.retry(session.id, id, null);
    return noEffects();
  }

  /** The last read of a dead sandbox's file; then one transaction settles what it held and notes that nothing is left in it. */
  async function drain(
    session: Session,
    settle: (held: ReadonlySet<string>) => Effects,
    planned?: PlannedEnd,
  ): Promise<void> {
    const { complete, snapshot } = await mailbox.drain(session.id);
    faultPoint('aftermath.draining');
    const effects = transaction(db, () => {
      // What could not be read is read by the next sandbox's host, or at the next start.
      if (complete) sessions.setDrained(session.id, true);
      const settled = settle(heldBy(snapshot?.acks));
      if (complete) settled.deliver.push(...parts.lost(session, snapshot?.background ?? [], planned, Date.now()));
      return settled;
    });
    faultPoint('aftermath.drained');
    parts.perform(session, effects);
  }

  return {
    fail(session, failure, concerns = () => true) {
      parts.perform(
        session,
        transaction(db, () => failDue(session, failure, concerns)),
      );
    },
    settle(session, exit, planned, seenSeq) {
      const settle = (held: ReadonlySet<string>) => {
        if (planned?.reason === 'quarantine') return noEffects();
        const failure = exitFailure({ ...exit, lastLines: exit.lastLines.map(log.redact) }, planned);
        if (!failure) return retryHeld(session, held);
        // One that took nothing counts a try for what it must have seen, or it would be started for ever.
        return failDue(session, failure, ({ id, seq }) => (held.size > 0 ? held.has(id) : seq <= seenSeq));
      };
      return drain(session, settle, planned);
    },
    recover: (session) => drain(session, (held) => retryHeld(session, held)),
  };
}
