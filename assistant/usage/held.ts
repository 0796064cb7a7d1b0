import type { DatabaseSync } from 'node:sqlite';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import { createStandings } from './standing.ts';
import { createTable } from './table.ts';
import { waitsText } from './words.ts';

/** Why what is asked of an agent waits for its budget, where that is so: beside a running host, and without one. Writes nothing. */
export function whyHeld(db: DatabaseSync, agentGroupId: string, now: number): string | undefined {
  const agent = getAgentGroup(db, agentGroupId);
  if (!agent) return undefined;
  const standings = createStandings(createTable(db));
  standings.refresh(now);
  const why = standings.usedUp(agentGroupId);
  return why && waitsText(agent.name, why, now, standings.get(agentGroupId)?.timezone ?? 'UTC');
}
