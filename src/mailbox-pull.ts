import { chmodSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import { transaction } from './db/group-commit.ts';
import type { Session, Sessions } from './db/sessions.ts';
import type { Logger } from './log/index.ts';
import type { OutboundReader, OutboundSnapshot } from './mailbox/outbound-reader.ts';
import type { SessionFolders } from './session-manager.ts';
import type { Effects, TakeOver } from './take-over/index.ts';

/** Reads what a session's agent wrote and hands it to take-over: one read at a time for a session, none missed. */

/** A step in the sequence that no conversation makes: it would use up the numbers that are left. */
const LARGEST_STEP = 1_000_000;
/** Rows that one sandbox may have refused before it is taken for hostile. */
const MAX_REFUSED = 1_000;
const BUSY_RETRY_MS = 2;
const BUSY_RETRIES = 500;

export interface MailboxPullParts {
  db: DatabaseSync;
  reader: OutboundReader;
  sessions: Sessions;
  takeOver: TakeOver;
  folders(session: Session): SessionFolders;
  /** After the transaction stands. */
  perform(session: Session, effects: Effects): void;
  /** Every readable look, for what the agent is doing. */
  onSnapshot(session: Session, snapshot: OutboundSnapshot): void;
  onHostile(session: Session, reason: string): void;
  log: Logger;
}

export interface MailboxPull {
  /** Reads what is new. Calls while one runs become one more read after it. Never rejects. */
  pull(sessionId: string): Promise<void>;
  /** The last read, after the sandbox is dead: recovers a journal. Never rejects. */
  drain(sessionId: string): Promise<Drained>;
  /** Moves a file that broke the rules out of the agent's reach. The sandbox must be dead. */
  putAside(session: Session, now: number): void;
}

export interface Drained {
  /** False when it could not be read to the end: the disk is full, say. What is left in it is still to be taken over. */
  complete: boolean;
  snapshot: OutboundSnapshot | undefined;
}

const NOTHING_LEFT: Drained = { complete: true, snapshot: undefined };
const FAILED_RETRY_MS = 1_000;
const DRAIN_TRIES = 5;

export function createMailboxPull(parts: MailboxPullParts): MailboxPull {
  const { db, reader, sessions, takeOver, log } = parts;
  const running = new Map<string, Promise<Drained>>();
  const again = new Set<string>();
  const draining = new Set<string>();
  const refused = new Map<string, number>();

  async function readAll(sessionId: string, recover: boolean): Promise<Drained> {
    let busy = 0;
    for (;;) {
      const session = sessions.get(sessionId);
      if (!session) return NOTHING_LEFT;
      const result = await reader.read(parts.folders(session).box, session.receivedSeq, { recover });
      if (result.status === 'absent') return NOTHING_LEFT;
      if (result.status === 'hostile') {
        log.warn('mailbox file refused', { session: session.id, agent: session.agentGroupId, reason: result.reason });
        parts.onHostile(session, result.reason);
        return NOTHING_LEFT;
      }
      if (result.status === 'busy') {
        busy += 1;
        // The watch calls again when the file changes; this covers a change between the look and the read.
        // A dead sandbox's journal stays until the last read recovers it, which has tries of its own.
        if (busy > BUSY_RETRIES || draining.has(sessionId)) return { complete: false, snapshot: undefined };
        await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
        continue;
      }
      const { snapshot } = result;
      const ruled = ruleBroken(session, snapshot);
      if (ruled) {
        parts.onHostile(session, ruled);
        return NOTHING_LEFT;
      }
      const effects = transaction(db, () => takeOver.apply(session, snapshot, Date.now()));
      if (effects.changed) faultPoint('takeover.committed');
      parts.onSnapshot(session, snapshot);
      parts.perform(session, effects);
      const sum = (refused.get(session.id) ?? 0) + effects.refused;
      refused.set(session.id, sum);
      if (sum > MAX_REFUSED) {
        parts.onHostile(session, 'it sends where it may not, over and over');
        return NOTHING_LEFT;
      }
      if (!snapshot.more) return { complete: true, snapshot };
    }
  }

  function run(sessionId: string, recover: boolean): Promise<Drained> {
    const promise = readAll(sessionId, recover)
      .catch((error: unknown) => {
        log.error('mailbox read failed', { session: sessionId, error });
        // The file may never change again: what it holds must not wait for that.
        if (!recover) setTimeout(() => void pull(sessionId), FAILED_RETRY_MS).unref();
        return { complete: false, snapshot: undefined };
      })
      .finally(() => {
        if (running.get(sessionId) === promise) running.delete(sessionId);
        // The last read begins when this one has ended, and none beside it.
        if (again.delete(sessionId) && !draining.has(sessionId)) void run(sessionId, false);
      });
    running.set(sessionId, promise);
    return promise;
  }

  async function pull(sessionId: string): Promise<void> {
    if (running.has(sessionId)) again.add(sessionId);
    else if (!draining.has(sessionId)) await run(sessionId, false);
  }

  return {
    pull,
    async drain(sessionId) {
      draining.add(sessionId);
      await running.get(sessionId);
      again.delete(sessionId);
      let drained = await run(sessionId, true);
      for (let tries = 1; !drained.complete && tries < DRAIN_TRIES; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, FAILED_RETRY_MS));
        drained = await run(sessionId, true);
      }
      draining.delete(sessionId);
      refused.delete(sessionId);
      return drained;
    },
    putAside(session, now) {
      const { box, session: folder } = parts.folders(session);
      const aside = join(folder, 'quarantine', String(now));
      mkdirSync(aside, { recursive: true, mode: 0o700 });
      // The agent's to take away, and a host that is not root has no others. Its parent is the host's: this is no link.
      chmodSync(box, 0o700);
      for (const name of ['outbound.db', 'outbound.db-journal', 'outbound.db-wal', 'outbound.db-shm']) {
        try {
          moveOut(join(box, name), join(aside, name));
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        }
      }
    },
  };
}

function moveOut(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error;
    // A folder without rights: to be moved, it has to be written to. A link would have moved.
    chmodSync(from, 0o700);
    renameSync(from, to);
  }
}

function ruleBroken({ hostSeq, receivedSeq }: Session, { messages }: OutboundSnapshot): string | undefined {
  const last = messages.at(-1)?.seq ?? 0;
  return last > Math.max(hostSeq, receivedSeq) + LARGEST_STEP ? 'a sequence number leaps' : undefined;
}
