import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { TERMINAL_CHANNEL, TERMINAL_OWNER, TERMINAL_PLATFORM_ID } from '../channels/terminal/address.ts';
import { createAudit } from '../src/audit/index.ts';
import { openCentral } from '../src/db/connection.ts';
import { transaction } from '../src/db/group-commit.ts';
import { NanoError } from '../src/errors.ts';
import { ensureAgentFolder } from '../src/groups/agent-folder.ts';
import { type AgentGroup, getAgentGroup, listAgentGroups } from '../src/groups/agent-groups.ts';
import { pathsFor } from '../src/paths.ts';
import { ensureUser } from '../src/people/roles.ts';
import { createAnchor } from './audit/anchor.ts';
import type { By } from './directory/index.ts';
import { createDirectoryWithoutHost } from './directory/without-host.ts';
import { must } from './must.ts';
import { nameProblem } from './people/assistant-name.ts';
import { welcome } from './people/welcome.ts';
import { isTimezone, localTimezone } from './timezone.ts';

const HOST: By = { actor: 'host', scope: null };

export interface FirstAgentOptions {
  /** The agent's name; default Andy. */
  name?: string;
  provider?: string;
  /** IANA; default this machine's. */
  timezone?: string;
  /** It speaks first in its chat, once. */
  welcome?: boolean;
}

export interface FirstAgentResult {
  agent: AgentGroup;
  created: boolean;
  changed: readonly string[];
}

/**
 * Makes the database, the owner at this machine's terminal, the first agent and the wiring between them, or brings what
 * is there to the given options. Idempotent. Works beside a running host. Throws NanoError NC_USAGE on a bad option.
 */
export function initFirstAgent(root: string, options: FirstAgentOptions, now = Date.now()): FirstAgentResult {
  const problem = optionProblem(options);
  if (problem) throw new NanoError('NC_USAGE', problem);
  const paths = pathsFor(root);
  mkdirSync(paths.data, { recursive: true, mode: 0o711 });
  const db = openCentral({ file: paths.db, backups: paths.backups, now });
  try {
    // Nothing waits for this process: a host that writes meanwhile may take its time.
    db.exec('PRAGMA busy_timeout = 5000');
    const anchor = createAnchor(db, paths.auditHead);
    const audit = createAudit(db);
    const result = transaction(db, () => {
      const existing = listAgentGroups(db)[0];
      const parts = createDirectoryWithoutHost(db, audit, paths.groups);
      const done = existing ? bringTo(db, existing, options, parts, now) : create(db, options, parts, now);
      ensureAgentFolder(join(paths.groups, done.agent.folder), done.agent.assistantName);
      const chat = terminalChat(db);
      if (options.welcome && chat !== undefined) welcome(db, done.agent.id, chat, now);
      return done;
    });
    anchor.write();
    return result;
  } finally {
    db.close();
  }
}

function optionProblem({ name, provider, timezone }: FirstAgentOptions): string | undefined {
  const problem = name === undefined ? undefined : nameProblem(name.trim());
  if (problem) return problem;
  if (provider !== undefined && !/^[a-z0-9][a-z0-9-]{0,63}$/.test(provider)) {
    return "A provider's name has small letters, digits and dashes.";
  }
  if (timezone !== undefined && !isTimezone(timezone)) {
    return `There is no time zone ${JSON.stringify(timezone.slice(0, 64))}; an example is Europe/Berlin.`;
  }
  return undefined;
}

type Parts = ReturnType<typeof createDirectoryWithoutHost>;

function create(db: DatabaseSync, options: FirstAgentOptions, parts: Parts, now: number): FirstAgentResult {
  ensureUser(db, TERMINAL_OWNER, 'Owner', now);
  const granted = parts.grantRole({ userId: TERMINAL_OWNER, role: 'owner', agentGroupId: null }, HOST, now);
  if (!granted.ok && granted.code !== 'NC_EXISTS') must(granted);
  const { name = 'Andy', provider = 'demo', timezone = localTimezone() } = options;
  // The owner's first agent is how the owner talks to all of it.
  const made = must(parts.createAgentGroup({ name, provider, timezone, cliScope: 'global' }, HOST, now));
  const chat = { channelType: TERMINAL_CHANNEL, platformId: TERMINAL_PLATFORM_ID, name: 'Terminal' };
  const messagingGroupId = terminalChat(db) ?? must(parts.createChat(chat, HOST, now)).id;
  must(parts.wire({ messagingGroupId, agentGroupId: made.id }, HOST, now));
  const agent = getAgentGroup(db, made.id);
  if (!agent) throw new NanoError('NC_INTERNAL', 'The agent that was just made is not there.');
  return { agent, created: true, changed: [] };
}

function bringTo(
  db: DatabaseSync,
  agent: AgentGroup,
  { provider, timezone, name: given }: FirstAgentOptions,
  parts: Parts,
  now: number,
): FirstAgentResult {
  const name = given?.trim();
  const changes = {
    ...(provider && provider !== agent.provider && { provider }),
    ...(timezone && timezone !== agent.timezone && { timezone }),
    ...(name && name !== agent.assistantName && { assistantName: name }),
  };
  const changed = Object.keys(changes);
  if (changed.length > 0) must(parts.updateConfig(agent.id, changes, HOST, now));
  return { agent: getAgentGroup(db, agent.id) ?? agent, created: false, changed };
}

function terminalChat(db: DatabaseSync): string | undefined {
  const find = db.prepare('SELECT id FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const row = find.get(TERMINAL_CHANNEL, TERMINAL_PLATFORM_ID);
  return row && String(row.id);
}
