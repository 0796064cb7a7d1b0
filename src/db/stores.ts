import type { DatabaseSync } from 'node:sqlite';
import { createRoles } from '../people/roles.ts';
import { createWirings } from '../routing/wirings.ts';
import { createDeliveries } from './deliveries.ts';
import { createGroupCommit } from './group-commit.ts';
import { createMessages } from './messages.ts';
import { createSessions } from './sessions.ts';

/** The tables that most parts read or write, and what commits for them. `isHeld`: of a session that may spend nothing. */
export function createStores(db: DatabaseSync, isHeld: (sessionId: string) => boolean) {
  const roles = createRoles(db);
  return {
    commit: createGroupCommit(db),
    messages: createMessages(db, isHeld),
    sessions: createSessions(db),
    deliveries: createDeliveries(db),
    roles,
    table: createWirings(db, roles),
  };
}
