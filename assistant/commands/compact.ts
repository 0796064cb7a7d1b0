import type { DatabaseSync } from 'node:sqlite';
import { type Control, isoTime } from '@nanoclaw/protocol';
import type { ContainerRunner } from '../../src/container-runner.ts';
import { newId } from '../../src/db/ids.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { CommandContext } from '../../src/router.ts';
import { type Effects, noEffects } from '../../src/take-over/index.ts';

/**
 * `/compact`: a message to the agent's runner, in a turn of its own, so that it waits for the one that runs, is tried again
 * after a crash, and ends in an answer or a notice as every other.
 */

export interface CompactParts {
  db: DatabaseSync;
  messages: Pick<Messages, 'addInbound'>;
  runner: Pick<ContainerRunner, 'wake'>;
  perform(session: Session, effects: Effects): void;
}

const COMPACT: Control = { action: 'compact' };

export function createCompact({ db, messages, runner, perform }: CompactParts) {
  const waiting = db.prepare(
    `SELECT 1 FROM messages INDEXED BY messages_open WHERE session_id = ? AND direction = 'in'
       AND status IN ('pending', 'paused') AND kind = 'system' AND trigger = 1 AND content = ?`,
  );

  /** Inside a transaction; `after` the commit. */
  return (
    session: Session | undefined,
    { origin, now }: Pick<CommandContext, 'origin' | 'now'>,
  ): { text: string; after(): void } => {
    if (!session) return { text: 'There is nothing to summarise yet.', after() {} };
    if (waiting.get(session.id, JSON.stringify(COMPACT)))
      return { text: 'It is being summarised already.', after() {} };
    messages.addInbound(
      {
        ...origin,
        id: newId('sys', now),
        sessionId: session.id,
        kind: 'system',
        timestamp: isoTime(now),
        trigger: true,
        content: COMPACT,
      },
      now,
    );
    return {
      text: 'I look at what there is to summarise, and say how it ends.',
      after() {
        perform(session, { ...noEffects(), changed: true });
        void runner.wake(session.id);
      },
    };
  };
}
