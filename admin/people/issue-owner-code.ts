import { isoTime } from '@nanoclaw/protocol';
import { createAudit } from '../../src/audit/index.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { NanoError } from '../../src/errors.ts';
import { type AgentGroup, listAgentGroups } from '../../src/groups/agent-groups.ts';
import { pathsFor } from '../../src/paths.ts';
import { createAnchor } from '../audit/anchor.ts';
import { makeOwnerCode } from './owner-code.ts';

export interface IssuedCode {
  code: string;
  /** What the agent is called that speaks first; null: there is none yet. */
  agent: string | null;
  expiresAt: string;
}

/** For whoever sits at this machine, beside a running host or without one. `wanted`: an agent. Throws NC_NOT_FOUND, NC_AMBIGUOUS. */
export function issueOwnerCode(
  home: string,
  wanted: string | undefined,
  minutes: number,
  now = Date.now(),
): IssuedCode {
  const paths = pathsFor(home);
  const db = openCentral({ file: paths.db, backups: paths.backups, now });
  try {
    // Nothing waits for this process: a host that writes meanwhile may take its time.
    db.exec('PRAGMA busy_timeout = 5000');
    const agents = listAgentGroups(db);
    const agent = wanted === undefined ? undefined : find(agents, wanted);
    const expiresAt = isoTime(now + minutes * 60_000);
    const code = transaction(db, () => {
      const detail = { agentGroupId: agent?.id ?? null, expiresAt };
      createAudit(db).record({ actor: 'host', action: 'owner-code.made', subject: 'owner-code', detail }, now);
      return makeOwnerCode(db, agent?.id ?? null, minutes, now);
    });
    createAnchor(db, paths.auditHead).write();
    return { code, agent: (agent ?? agents[0])?.assistantName ?? null, expiresAt };
  } finally {
    db.close();
  }
}

function find(agents: readonly AgentGroup[], wanted: string): AgentGroup {
  const exact = agents.filter((agent) => [agent.id, agent.name, agent.folder].includes(wanted));
  const found = exact.length > 0 ? exact : agents.filter(({ id }) => id.startsWith(wanted));
  if (found.length > 1)
    throw new NanoError('NC_AMBIGUOUS', 'More than one agent fits: `ncl groups list` shows their ids.');
  const [agent] = found;
  if (!agent) throw new NanoError('NC_NOT_FOUND', `There is no agent ${JSON.stringify(wanted.slice(0, 80))}.`);
  return agent;
}
