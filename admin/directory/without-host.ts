import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { skillNames, skillPlaces } from '../../assistant/instructions/skills/index.ts';
import type { Audit } from '../../src/audit/index.ts';
import { createAgents } from './agents.ts';
import { createChange } from './change.ts';
import { createChats } from './chats.ts';
import type { Effects } from './effects.ts';
import { createPeople } from './people.ts';

const CODE = join(import.meta.dirname, '..', '..');

/** What makes an install, for a process beside the host or before it: no sandbox is told, no folder made. `groups`: the folder of folders. */
export function createDirectoryWithoutHost(db: DatabaseSync, audit: Audit, groups: string) {
  const change = createChange(db, audit);
  const effects: Effects = { later() {}, withhold: (work) => work(), settled: async () => {} };
  // Whoever may open the database sees all of it.
  const sees = () => true;
  return {
    ...createAgents({
      db,
      groups,
      change,
      effects,
      settingsChanged() {},
      skillNames: () => skillNames(skillPlaces(CODE, dirname(groups))),
    }),
    ...createChats({ db, change, channelHasThreads: () => false, sees, destinationsChanged() {} }),
    ...createPeople(db, change, sees),
  };
}
