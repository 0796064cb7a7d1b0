import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { Session } from '../../src/db/sessions.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { Caller } from '../view.ts';

/** Who stands behind what an agent asks of the host: from the central database alone, as it is at that moment. */

export type AgentCaller = Extract<Caller, { kind: 'agent' }>;

export interface Callers {
  /** Undefined: this agent has no `ncl`. `ownOnly`: it asks about what is its own alone, which each agent may. */
  of(session: Session, now: number, ownOnly?: boolean): AgentCaller | undefined;
  /** What an agent may see when it acts for these users. Undefined: nothing. */
  scope(agentGroupId: string, speakers: readonly string[]): AgentCaller['scope'] | undefined;
}

/** In place of a user: a message that nobody wrote, such as a task's or a webhook's. */
export const NOBODY = 'nobody';

/** Sequence numbers before the oldest open message, among which one may be that ended beside it. */
const BESIDE = 1_000;

export function createCallers(db: DatabaseSync, roles: Pick<Roles, 'mayAdministerAll'>): Callers {
  const configured = db.prepare('SELECT cli_scope FROM container_configs WHERE agent_group_id = ?');
  // An agent says itself when it has done with a message, or failed at it. So one that was put off after a try counts on, and
  // one that ended while another was open counts until that one has ended: no agent chooses for whom it speaks.
  const speaking = db.prepare(
    `WITH open AS (
       SELECT user_id, seq, created_at FROM messages INDEXED BY messages_open
       WHERE session_id = ?1 AND direction = 'in' AND status IN ('pending', 'paused') AND trigger = 1
         AND (process_after IS NULL OR process_after <= ?2 OR tries > 0))
     SELECT user_id FROM open
     UNION SELECT user_id FROM messages
       WHERE session_id = ?1 AND direction = 'in' AND seq > (SELECT min(seq) FROM open) - ${BESIDE} AND trigger = 1
         AND settled_at >= (SELECT min(created_at) FROM open)`,
  );

  function scope(agentGroupId: string, speakers: readonly string[]): AgentCaller['scope'] | undefined {
    const given = configured.get(agentGroupId)?.cli_scope;
    if (given !== 'group' && given !== 'global') return undefined;
    const isTrusted = speakers.length > 0 && speakers.every(roles.mayAdministerAll);
    return given === 'global' && isTrusted ? 'global' : 'group';
  }

  return {
    scope,
    of({ id, agentGroupId }, now, ownOnly = false) {
      const speakers = speaking.all(id, isoTime(now)).map((row) => String(row.user_id ?? NOBODY));
      const allowed = scope(agentGroupId, speakers) ?? (ownOnly ? 'group' : undefined);
      return allowed && { kind: 'agent', agentGroupId, sessionId: id, scope: allowed, speakers };
    },
  };
}
