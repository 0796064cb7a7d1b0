import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type InForce, inForce, type Wishes } from './decide.ts';
import { installDefaults } from './defaults.ts';

/** Which provider, model and effort are in force, as everything is set now. */

export interface Models {
  /** `sessionId` undefined: for a conversation that nothing is set for. Throws when there is no such agent. */
  inForce(agentGroupId: string, sessionId: string | undefined): InForce;
  /** What of the install's own settings is passed over, a sentence each. */
  problems(): string[];
}

export interface ModelsParts {
  db: DatabaseSync;
  env(): Readonly<Record<string, string | undefined>>;
}

const Row = z.object({ provider: z.string().nullable(), model: z.string().nullable(), effort: z.string().nullable() });

export function createModels({ db, env }: ModelsParts): Models {
  const group = db.prepare('SELECT provider, model, effort FROM container_configs WHERE agent_group_id = ?');
  const session = db.prepare('SELECT provider, model, effort FROM sessions WHERE id = ? AND agent_group_id = ?');
  return {
    inForce(agentGroupId, sessionId) {
      const own = sessionId === undefined ? undefined : session.get(sessionId, agentGroupId);
      const none: Wishes = {};
      return inForce({
        session: own ? Row.parse(own) : none,
        group: Row.parse(group.get(agentGroupId)),
        default: installDefaults(env()).wishes,
      });
    },
    problems: () => installDefaults(env()).problems,
  };
}
