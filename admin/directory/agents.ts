import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';
import { newId } from '../../src/db/ids.ts';
import { ensureAgentFolder } from '../../src/groups/agent-folder.ts';
import { getAgentGroup, listAgentGroups } from '../../src/groups/agent-groups.ts';
import { assistantNameProblem, nameProblem } from '../people/assistant-name.ts';
import { localTimezone } from '../timezone.ts';
import type { Result } from '../view.ts';
import { type Change, DONE, mayTouch, mayTouchAll, missing, OUT_OF_SCOPE, refuse } from './change.ts';
import { type ConfigChanges, configProblem, writeConfig } from './config.ts';
import type { Effects } from './effects.ts';
import type { By, Directory } from './index.ts';
import { MAX_MCP_SERVERS, mcpServerProblem, togetherProblem } from './mcp-servers.ts';
import { cleanName, folderFor, folderProblem, freeName } from './words.ts';

/** Agents, their folders and what they run with. */

type Agents = Pick<
  Directory,
  'createAgentGroup' | 'renameAgentGroup' | 'updateConfig' | 'addMcpServer' | 'removeMcpServer'
>;

const McpServers = z.record(z.string(), z.unknown());

export interface AgentsParts {
  db: DatabaseSync;
  /** The folder of their folders. */
  groups: string;
  change: Change;
  effects: Effects;
  /** What it is called, or which model it has; inside the transaction. */
  settingsChanged(agentGroupId: string): void;
  /** Those that there are. */
  skillNames(): readonly string[];
}

export function createAgents({ db, groups, change, effects, settingsChanged, skillNames }: AgentsParts): Agents {
  // The uid of one that is gone is nobody's: files of its may still lie where it was given a folder.
  const addGroup = db.prepare(
    `INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at)
     VALUES (?, ?, ?, (SELECT 1 + ifnull(max(n), 0) FROM (SELECT max(uid_ordinal) AS n FROM agent_groups UNION ALL
       SELECT max(json_extract(detail, '$.uidOrdinal')) FROM audit_log WHERE action = 'group.deleted')), ?)`,
  );
  const addConfig = db.prepare(
    `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, cli_scope, updated_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const namesake = db.prepare('SELECT 1 FROM agent_groups WHERE name = ? COLLATE NOCASE AND id <> ?');
  const rename = db.prepare('UPDATE agent_groups SET name = ? WHERE id = ?');
  const servers = db.prepare('SELECT mcp_servers FROM container_configs WHERE agent_group_id = ?');
  const setServers = db.prepare(
    'UPDATE container_configs SET mcp_servers = ?, updated_at = ? WHERE agent_group_id = ?',
  );

  /** Of agents and on the disk, where a folder of nobody's may be somebody's work; case is no difference on some disks. */
  function takenFolders(): ReadonlySet<string> {
    const own = listAgentGroups(db).map(({ folder }) => folder);
    return new Set([...own, ...namesIn(groups)].map((name) => name.toLowerCase()));
  }

  function nameRefusal(name: string, id: string) {
    const problem = nameProblem(name);
    if (problem) return refuse('NC_USAGE', problem);
    return namesake.get(name, id) ? refuse('NC_EXISTS', `Another agent is called ${JSON.stringify(name)}.`) : undefined;
  }

  /** Its config's problem, for whoever asks; rules that concern the machine are for its owner alone. */
  function configRefusal(id: string, changes: ConfigChanges, by: By) {
    if (changes.cliScope !== undefined && by.speakers) {
      return refuse('NC_FORBIDDEN', 'What an agent may do with ncl is set at this machine.');
    }
    const { provider, egress, egressAllow } = changes;
    if (by.scope !== null && [provider, egress, egressAllow].some((one) => one !== undefined)) {
      return refuse('NC_FORBIDDEN', "Its provider and its network are not the agent's own to change.");
    }
    if (by.speakers && changes.history === 'agent') {
      return refuse('NC_FORBIDDEN', 'What is said in one chat is opened for its others at this machine.');
    }
    const problem =
      configProblem(changes, skillNames) ??
      (changes.assistantName === undefined ? undefined : assistantNameProblem(db, id, changes.assistantName));
    return problem === undefined ? undefined : refuse('NC_USAGE', problem);
  }

  function withServers(
    id: string,
    by: By,
    now: number,
    work: (all: Record<string, unknown>) => Result<never> | undefined,
  ) {
    const row = mayTouch(by, id) ? servers.get(id) : undefined;
    if (!row) return missing('agent', id);
    const all = McpServers.parse(JSON.parse(String(row.mcp_servers)));
    const problem = work(all);
    if (problem) return problem;
    setServers.run(JSON.stringify(all), isoTime(now), id);
    return DONE;
  }

  return {
    createAgentGroup: (input, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const name = cleanName(input.name);
        const [first] = listAgentGroups(db);
        const taken = takenFolders();
        const isTaken = (folder: string) => taken.has(folder.toLowerCase());
        const folder = input.folder ?? freeName(folderFor(name), isTaken);
        const provider = input.provider ?? first?.provider ?? 'demo';
        const timezone = input.timezone ?? first?.timezone ?? localTimezone();
        const { cliScope = 'group' } = input;
        const config = { provider, timezone, ...(cliScope !== 'group' && { cliScope }) };
        const refusal = nameRefusal(name, '') ?? configRefusal('', config, by);
        if (refusal) return refusal;
        const wrong = folderProblem(folder);
        if (wrong) return refuse('NC_USAGE', wrong);
        if (isTaken(folder))
          return refuse('NC_EXISTS', `There is a folder groups/${folder}, or one that differs by case.`);
        const id = newId('ag', now);
        addGroup.run(id, name, folder, isoTime(now));
        addConfig.run(id, provider, name, timezone, cliScope, isoTime(now));
        note({ action: 'group.created', subject: id, detail: { name, folder, provider, cliScope } });
        effects.later(() => {
          const agent = getAgentGroup(db, id);
          if (agent) ensureAgentFolder(join(groups, agent.folder), agent.assistantName);
        });
        return { ok: true, data: { id, folder } };
      }),
    renameAgentGroup: (id, given, by, now) =>
      change(by, now, (note) => {
        const agent = mayTouch(by, id) ? getAgentGroup(db, id) : undefined;
        if (!agent) return missing('agent', id);
        // Whether a name is free tells of the others.
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const name = cleanName(given);
        const refusal = nameRefusal(name, id);
        if (refusal) return refusal;
        rename.run(name, id);
        note({ action: 'group.updated', subject: id, detail: { name, was: agent.name } });
        return DONE;
      }),
    updateConfig: (id, given, by, now) =>
      change(by, now, (note) => {
        if (!mayTouch(by, id) || !getAgentGroup(db, id)) return missing('agent', id);
        const { assistantName: name } = given;
        const changes = { ...given, ...(name !== undefined && { assistantName: cleanName(name) }) };
        const refusal = configRefusal(id, changes, by);
        if (refusal) return refusal;
        if (Object.keys(changes).length === 0) return refuse('NC_USAGE', 'There is nothing to change.');
        writeConfig(db, id, changes, isoTime(now));
        note({ action: 'group.updated', subject: id, detail: { ...changes } });
        const { assistantName, provider, model, effort } = changes;
        if ([assistantName, provider, model, effort].some((one) => one !== undefined)) settingsChanged(id);
        return DONE;
      }),
    addMcpServer: (id, name, server, by, now) =>
      change(by, now, (note) => {
        const { command, args, env } = server;
        const done = withServers(id, by, now, (all) => {
          if (Object.hasOwn(all, name)) {
            return refuse('NC_EXISTS', `It has a server ${JSON.stringify(name)} already: remove it first.`);
          }
          const isFull = Object.keys(all).length >= MAX_MCP_SERVERS;
          all[name] = server;
          const problem = isFull
            ? `It has ${MAX_MCP_SERVERS} servers already.`
            : (mcpServerProblem(name, server) ?? togetherProblem(all));
          return problem === undefined ? undefined : refuse('NC_USAGE', problem);
        });
        // The values may be secrets that should not have been put there.
        if (done.ok)
          note({ action: 'mcp-server.added', subject: id, detail: { name, command, args, env: Object.keys(env) } });
        return done;
      }),
    removeMcpServer: (id, name, by, now) =>
      change(by, now, (note) => {
        const done = withServers(id, by, now, (all) => {
          if (!Object.hasOwn(all, name)) return missing('server', name);
          delete all[name];
          return undefined;
        });
        if (done.ok) note({ action: 'mcp-server.removed', subject: id, detail: { name } });
        return done;
      }),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
