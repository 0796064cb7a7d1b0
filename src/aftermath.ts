import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from './db/group-commit.ts';
import type { Messages, OpenMessage } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import type { Failure } from './failures.ts';
import type { Logger } from './log/index.ts';
import type { OutboundSnapshot } from './mailbox/outbound-reader.ts';
import type { MailboxPull } from './mailbox-pull.ts';
import type { SandboxExit } from './sandbox/driver.ts';
import type { Effects, TakeOver } from './take-over.ts';

/** What becomes of a session's open messages when its sandbox is gone, or never came. */

/** Ends of a sandbox by the host's own hand that say nothing good of what it was doing. */
const BAD_ENDS: Readonly<Record<string, string>> = {
  heartbeat: 'it gave no sign of life',
  ceiling: 'the turn took too long',
  unclaimed: 'it did not take its messages',
};

/** A message that is younger may not have been seen by a sandbox that has just died: the next one takes it. */
const SEEN_AFTER_MS = 2_000;

export interface AftermathParts {
  db: DatabaseSync;
  messages: Messages;
  sessions: Sessions;
  takeOver: TakeOver;
  mailbox: MailboxPull;
  perform(session: Session, effects: Effects): void;
  log: Logger;
}

export interface Aftermath {
  /** Every due message of the session failed, or those that `concerns` names. */
  fail(session: Session, failure: Failure, concerns?: (message: OpenMessage) => boolean): void;
  /** The sandbox has ended; `planned` says why when the host did it. */
  settle(session: Session, exit: SandboxExit, planned: string | undefined): Promise<void>;
  /** The sandbox died with an earlier host. */
  recover(session: Session): Promise<void>;
}

export function createAftermath(parts: AftermathParts): Aftermath {
  const { db, messages, sessions, takeOver, mailbox, log } = parts;

  function fail(session: Session, failure: Failure, concerns: (message: OpenMessage) => boolean = () => true): void {
    const now = Date.now();
    const failed = messages.open(session.id).filter((message) => {
      const due = message.processAfter === null || Date.parse(message.processAfter) <= now;
      return message.trigger && due && concerns(message);
    });
    if (failed.length === 0) return;
    log.warn('turn failed', {
      session: session.id,
      kind: failure.kind,
      error: failure.message,
      messages: failed.length,
    });
    parts.perform(
      session,
      transaction(db, () => takeOver.fail(session, failed, failure, now)),
    );
  }

  /** What it held is tried again at once, and the retry says that it was tried before. */
  function retryHeld(session: Session, held: ReadonlySet<string>): void {
    transaction(db, () => {
      for (const id of held) messages.retry(session.id, id, null);
    });
  }

  async function drain(session: Session): Promise<OutboundSnapshot | undefined> {
    const snapshot = await mailbox.drain(session.id);
    transaction(db, () => sessions.setDrained(session.id, true));
    return snapshot;
  }

  return {
    fail,
    async settle(session, exit, planned) {
      const seen = isoTime(Date.now() - SEEN_AFTER_MS);
      const held = heldBy(await drain(session));
      if (planned === 'quarantine') return;
      if (planned !== undefined && !(planned in BAD_ENDS)) return retryHeld(session, held);
      // One that took nothing counts a try for what it should have taken, or it would be started for ever.
      fail(session, exitFailure(exit, planned), ({ id, createdAt }) =>
        held.size > 0 ? held.has(id) : createdAt < seen,
      );
    },
    async recover(session) {
      retryHeld(session, heldBy(await drain(session)));
    },
  };
}

function heldBy(snapshot: OutboundSnapshot | undefined): Set<string> {
  return new Set(snapshot?.acks.filter((ack) => ack.status === 'processing').map((ack) => ack.message_id));
}

function exitFailure(exit: SandboxExit, planned: string | undefined): Failure {
  if (exit.outOfMemory) return { kind: 'out-of-memory', retryable: false, message: 'out of memory' };
  const why = (planned && BAD_ENDS[planned]) ?? 'it ended by itself';
  return {
    kind: 'crash',
    retryable: planned !== 'ceiling',
    message: `${why}, code ${exit.code}: ${exit.lastLines.slice(-3).join(' | ')}`,
  };
}
