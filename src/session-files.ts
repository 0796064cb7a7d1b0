import type { InboundEvent } from './channels/adapter.ts';
import { type Deliveries, outboundId } from './db/deliveries.ts';
import type { Messages } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import type { Logger } from './log/index.ts';
import { takeIn } from './mailbox/attachments.ts';
import { dropTree } from './mailbox/drop-outbox.ts';
import { dropStrays } from './mailbox/strays.ts';
import type { SessionManager } from './session-manager.ts';

/** Files of messages in a session's folders: they come before their rows, and a crash may leave them without. */

export interface SessionFilesParts {
  manager: Pick<SessionManager, 'folders' | 'ensureFolders'>;
  messages: Pick<Messages, 'exists'>;
  deliveries: Pick<Deliveries, 'get'>;
  sessions: Pick<Sessions, 'undrained'>;
  /** The one of the agent's sandboxes. */
  uidOf(session: Session): number | undefined;
  log: Logger;
}

export interface SessionFiles {
  /** Returns what the message's content says of them. */
  take(session: Session, messageId: string, event: InboundEvent): Promise<unknown[]>;
  /** Their message is stored. */
  taken(messageId: string): void;
  /** Their message was there already. */
  drop(session: Session, messageId: string): Promise<void>;
  /** Those of nobody. The session's sandbox must not run. */
  dropLeftovers(session: Session): Promise<void>;
}

export function createSessionFiles(parts: SessionFilesParts): SessionFiles {
  const { manager, messages, deliveries, sessions, log } = parts;
  const taking = new Set<string>();
  return {
    take(session, messageId, { attachments = [] }) {
      const { inbound } = manager.ensureFolders(session, parts.uidOf(session));
      taking.add(messageId);
      return Promise.all(attachments.map((one, index) => takeIn(inbound, messageId, index, one)));
    },
    taken: (messageId) => void taking.delete(messageId),
    drop: (session, messageId) =>
      dropTree(manager.folders(session).inbound, ['inbox'], messageId).finally(() => taking.delete(messageId)),
    async dropLeftovers(session) {
      // What could not be read to its end may tell of files that nothing else knows.
      if (sessions.undrained().includes(session.id)) return;
      await dropStrays(manager.folders(session), {
        outbox: (id) => deliveries.get(outboundId(session.id, id)) !== undefined,
        inbox: (id) => taking.has(id) || messages.exists(id),
      }).catch((error: unknown) => log.warn('files of nobody stay', { session: session.id, error }));
    },
  };
}
