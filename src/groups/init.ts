import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { TERMINAL_OWNER, TERMINAL_PLATFORM_ID } from '../channels/terminal/address.ts';
import { openCentral } from '../db/connection.ts';
import { transaction } from '../db/group-commit.ts';
import { newId } from '../db/ids.ts';
import { NanoError } from '../errors.ts';
import { pathsFor } from '../paths.ts';
import { ensureUser, grantOwner } from '../people/roles.ts';
import { type AgentGroup, getAgentGroup, listAgentGroups, updateAgentGroup } from './agent-groups.ts';

export interface FirstAgentOptions {
  /** The agent's name; default Andy. */
  name?: string;
  provider?: string;
  /** IANA; default this machine's. */
  timezone?: string;
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
    return transaction(db, () => {
      const existing = listAgentGroups(db)[0];
      const result = existing ? bringTo(db, existing, options, now) : create(db, options, now);
      ensureAgentFolder(join(paths.groups, result.agent.folder), result.agent.assistantName);
      return result;
    });
  } finally {
    db.close();
  }
}

function optionProblem({ name, provider, timezone }: FirstAgentOptions): string | undefined {
  if (name !== undefined && (name.trim() === '' || name.length > 64 || /\p{Cc}/u.test(name))) {
    return 'A name has 1 to 64 characters and no control characters.';
  }
  if (provider !== undefined && !/^[a-z0-9][a-z0-9-]{0,63}$/.test(provider)) {
    return "A provider's name has small letters, digits and dashes.";
  }
  if (timezone !== undefined && !isTimezone(timezone)) {
    return `There is no time zone ${JSON.stringify(timezone.slice(0, 64))}; an example is Europe/Berlin.`;
  }
  return undefined;
}

/** IANA names alone: an offset or an abbreviation knows no daylight saving. */
export function isTimezone(name: string): boolean {
  if (name !== 'UTC' && !/^[A-Za-z]+(\/[A-Za-z0-9_+-]+)+$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function create(db: DatabaseSync, options: FirstAgentOptions, now: number): FirstAgentResult {
  const at = isoTime(now);
  const name = options.name?.trim() ?? 'Andy';
  const agentId = newId('ag', now);
  const chatId = newId('mg', now);
  ensureUser(db, TERMINAL_OWNER, 'Owner', now);
  grantOwner(db, TERMINAL_OWNER, now);
  db.prepare('INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES (?, ?, ?, 1, ?)').run(
    agentId,
    name,
    folderFor(name),
    at,
  );
  db.prepare(
    `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
     VALUES (?, ?, ?, ?, ?)`,
  ).run(agentId, options.provider ?? 'demo', name, options.timezone ?? localTimezone(), at);
  db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
     VALUES (?, 'terminal', ?, 'Terminal', 0, 'strict', ?)`,
  ).run(chatId, TERMINAL_PLATFORM_ID, at);
  db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
     VALUES (?, ?, ?, 'pattern', '.', ?)`,
  ).run(newId('mga', now), chatId, agentId, at);
  db.prepare(
    `INSERT INTO agent_destinations (agent_group_id, local_name, target_type, target_id, created_at)
     VALUES (?, 'terminal', 'channel', ?, ?)`,
  ).run(agentId, chatId, at);
  const agent = getAgentGroup(db, agentId);
  if (!agent) throw new NanoError('NC_INTERNAL', 'The agent that was just made is not there.');
  return { agent, created: true, changed: [] };
}

function bringTo(db: DatabaseSync, agent: AgentGroup, options: FirstAgentOptions, now: number): FirstAgentResult {
  const changes = {
    ...(options.provider && options.provider !== agent.provider && { provider: options.provider }),
    ...(options.timezone && options.timezone !== agent.timezone && { timezone: options.timezone }),
    ...(options.name && options.name.trim() !== agent.assistantName && { assistantName: options.name.trim() }),
  };
  updateAgentGroup(db, agent.id, changes, isoTime(now));
  return { agent: getAgentGroup(db, agent.id) ?? agent, created: false, changed: Object.keys(changes) };
}

function folderFor(name: string): string {
  const folder = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64);
  return folder === '' ? 'agent' : folder;
}

/** This machine's zone; UTC where it has none that is known. */
export function localTimezone(): string {
  const zone = process.env.TZ || Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone && isTimezone(zone) ? zone : 'UTC';
}

/** The agent's own folder with its memory. What is there already stays as it is. */
export function ensureAgentFolder(folder: string, name: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  // Only while nobody else has the folder: in an agent's own, a link could lead the host elsewhere.
  if (!made) return;
  const text = `# ${name}'s memory\n\nNotes that ${name} keeps across conversations.\n`;
  writeFileSync(join(folder, 'CLAUDE.local.md'), text, { mode: 0o600, flag: 'wx' });
}
