import type { DatabaseSync } from 'node:sqlite';
import { createRoles } from '../people/roles.ts';
import { createWirings } from '../routing/wirings.ts';
import { createDeliveries } from './deliveries.ts';
import { createGroupCommit } from './group-commit.ts';
import { createMessages } from './messages.ts';
import { createSessions } from './sessions.ts';

/** The tables that most parts read or write, and what commits for them. */
export function createStores(db: DatabaseSync) {
  const roles = createRoles(db);
  return {
    commit: createGroupCommit(db),
    messages: createMessages(db),
    sessions: createSessions(db),
    deliveries: createDeliveries(db),
    roles,
    table: createWirings(db, roles),
  };
}
