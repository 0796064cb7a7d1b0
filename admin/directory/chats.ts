import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';
import { newId } from '../../src/db/ids.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import { patternProblem } from '../../src/routing/pattern.ts';
import { assistantNameProblem } from '../people/assistant-name.ts';
import type { Result } from '../view.ts';
import { type Change, DONE, mayTouch, mayTouchAll, missing, OUT_OF_SCOPE, refuse } from './change.ts';
import type { By, ChatChanges, Directory, NewWiring, WiringTerms } from './index.ts';
import type { Sees } from './sight.ts';
import {
  channelProblem,
  cleanName,
  destinationFor,
  destinationProblem,
  freeName,
  platformIdProblem,
  titleProblem,
} from './words.ts';

/** Chats, the terms on which agents listen there, and the names by which agents reach them. */

type Chats = Pick<
  Directory,
  'createChat' | 'updateChat' | 'wire' | 'updateWiring' | 'unwire' | 'addDestination' | 'removeDestination'
>;

export interface ChatsParts {
  db: DatabaseSync;
  change: Change;
  channelHasThreads(channelType: string): boolean;
  sees: Sees;
  /** What an agent may send to has changed. */
  destinationsChanged(agentGroupId: string): void;
}

export function createChats(parts: ChatsParts): Chats {
  const { db, change, channelHasThreads, sees, destinationsChanged } = parts;
  const byId = db.prepare('SELECT * FROM messaging_groups WHERE id = ?');
  const byPlace = db.prepare('SELECT id FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const add = db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(
    'UPDATE messaging_groups SET name = ?, unknown_sender_policy = ?, denied_at = ? WHERE id = ?',
  );
  const wiringById = db.prepare('SELECT * FROM messaging_group_agents WHERE id = ?');
  const wired = db.prepare('SELECT id FROM messaging_group_agents WHERE messaging_group_id = ? AND agent_group_id = ?');
  const addWiring = db.prepare(
    `INSERT INTO messaging_group_agents (session_mode, engage_mode, engage_pattern, sender_scope, ignored_message_policy,
       priority, exclusive, id, messaging_group_id, agent_group_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const changeWiring = db.prepare(
    `UPDATE messaging_group_agents SET session_mode = ?, engage_mode = ?, engage_pattern = ?, sender_scope = ?,
       ignored_message_policy = ?, priority = ?, exclusive = ? WHERE id = ?`,
  );
  const undeny = db.prepare('UPDATE messaging_groups SET denied_at = NULL WHERE id = ?');
  const taken = db.prepare('SELECT 1 FROM agent_destinations WHERE agent_group_id = ? AND local_name = ?');
  const leadsTo = db.prepare('SELECT local_name FROM agent_destinations WHERE agent_group_id = ? AND target_id = ?');
  const addTarget = db.prepare(
    `INSERT INTO agent_destinations (agent_group_id, local_name, target_type, target_id, created_at)
     VALUES (?, ?, ?, ?, ?)`,
  );
  const dropTarget = db.prepare('DELETE FROM agent_destinations WHERE agent_group_id = ? AND local_name = ?');
  const drops = {
    engagements: db.prepare('DELETE FROM engagements WHERE wiring_id = ?'),
    backlog: db.prepare('DELETE FROM backlog WHERE wiring_id = ?'),
    wiring: db.prepare('DELETE FROM messaging_group_agents WHERE id = ?'),
    targets: db.prepare('DELETE FROM agent_destinations WHERE agent_group_id = ? AND target_id = ?'),
  };

  /** The name under which the agent reaches that chat; made when there is none. */
  function ensureDestination(agentGroupId: string, chat: Record<string, unknown>, now: number): string {
    const known = leadsTo.get(agentGroupId, String(chat.id));
    if (known) return String(known.local_name);
    const wanted = destinationFor(String(chat.name ?? chat.channel_type));
    const name = freeName(wanted, (one) => taken.get(agentGroupId, one) !== undefined);
    addTarget.run(agentGroupId, name, 'channel', String(chat.id), isoTime(now));
    return name;
  }

  /** An agent's own wirings, unless `by` sees all. */
  function wiringFor(id: string, by: By) {
    const row = wiringById.get(id);
    return row && mayTouch(by, String(row.agent_group_id)) ? row : undefined;
  }

  return {
    createChat: ({ channelType, platformId, name, isGroup = false, unknownSenderPolicy = 'strict' }, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const problem = channelProblem(channelType) ?? platformIdProblem(platformId) ?? titleProblem(name);
        if (problem) return refuse('NC_USAGE', problem);
        const known = byPlace.get(channelType, platformId);
        if (known) return refuse('NC_EXISTS', `It is ${known.id}.`);
        const id = newId('mg', now);
        const title = name === undefined ? null : cleanName(name);
        add.run(id, channelType, platformId, title, isGroup ? 1 : 0, unknownSenderPolicy, isoTime(now));
        const detail = { channelType, platformId, name: title, isGroup, unknownSenderPolicy };
        note({ action: 'chat.created', subject: id, detail });
        return { ok: true, data: { id } };
      }),
    updateChat: (id, changes: ChatChanges, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const chat = byId.get(id);
        if (!chat) return missing('chat', id);
        const { name, unknownSenderPolicy, denied } = changes;
        if (Object.keys(changes).length === 0) return refuse('NC_USAGE', 'There is nothing to change.');
        const problem = titleProblem(name);
        if (problem) return refuse('NC_USAGE', problem);
        const title = name === undefined ? (chat.name ?? null) : cleanName(name);
        const deniedAt = denied === undefined ? (chat.denied_at ?? null) : denied ? isoTime(now) : null;
        update.run(title, unknownSenderPolicy ?? chat.unknown_sender_policy ?? null, deniedAt, id);
        note({ action: 'chat.updated', subject: id, detail: { ...changes } });
        return DONE;
      }),
    wire: (input, by, now) =>
      change(by, now, (note) => {
        const { messagingGroupId, agentGroupId, ...given } = input;
        const agent = mayTouch(by, agentGroupId) ? getAgentGroup(db, agentGroupId) : undefined;
        if (!agent) return missing('agent', agentGroupId);
        const chat = byId.get(messagingGroupId);
        if (!chat || !sees(by, 'chat', messagingGroupId)) return missing('chat', messagingGroupId);
        const known = wired.get(messagingGroupId, agentGroupId);
        if (known) return refuse('NC_EXISTS', `The agent listens in that chat already: ${known.id}.`);
        const threads = channelHasThreads(String(chat.channel_type));
        const terms = termsFor(defaultTerms(chat.is_group === 1, threads), given);
        if (!terms.ok) return terms;
        const id = newId('mga', now);
        addWiring.run(...columnsOf(terms.data), id, messagingGroupId, agentGroupId, isoTime(now));
        const problem = assistantNameProblem(db, agentGroupId, agent.assistantName);
        if (problem) return refuse('NC_EXISTS', problem);
        undeny.run(messagingGroupId);
        const destination = ensureDestination(agentGroupId, chat, now);
        note({
          action: 'wiring.created',
          subject: id,
          detail: { messagingGroupId, agentGroupId, ...terms.data, destination },
        });
        destinationsChanged(agentGroupId);
        return { ok: true, data: { id, destination } };
      }),
    updateWiring: (id, changes, by, now) =>
      change(by, now, (note) => {
        const row = wiringFor(id, by);
        if (!row) return missing('wiring', id);
        if (Object.keys(changes).length === 0) return refuse('NC_USAGE', 'There is nothing to change.');
        const terms = termsFor(Terms.parse(row), changes);
        if (!terms.ok) return terms;
        changeWiring.run(...columnsOf(terms.data), id);
        note({ action: 'wiring.updated', subject: id, detail: { ...changes } });
        return DONE;
      }),
    unwire: (id, by, now) =>
      change(by, now, (note) => {
        const row = wiringFor(id, by);
        if (!row) return missing('wiring', id);
        const [agentGroupId, messagingGroupId] = [String(row.agent_group_id), String(row.messaging_group_id)];
        drops.engagements.run(id);
        const gone = {
          'kept messages': Number(drops.backlog.run(id).changes),
          destinations: Number(drops.targets.run(agentGroupId, messagingGroupId).changes),
        };
        drops.wiring.run(id);
        note({ action: 'wiring.deleted', subject: id, detail: { messagingGroupId, agentGroupId, ...gone } });
        destinationsChanged(agentGroupId);
        return { ok: true, data: gone };
      }),
    addDestination: (agentGroupId, localName, targetId, by, now) =>
      change(by, now, (note) => {
        if (!mayTouch(by, agentGroupId) || !getAgentGroup(db, agentGroupId)) return missing('agent', agentGroupId);
        const name = cleanName(localName);
        const problem = destinationProblem(name);
        if (problem) return refuse('NC_USAGE', problem);
        const type = byId.get(targetId) ? 'channel' : getAgentGroup(db, targetId) ? 'agent' : undefined;
        const isSeen = type && sees(by, type === 'channel' ? 'chat' : 'group', targetId);
        if (type === undefined || !isSeen) return missing('chat or agent', targetId);
        if (targetId === agentGroupId) return refuse('NC_USAGE', 'An agent is no destination of its own.');
        if (taken.get(agentGroupId, name)) {
          return refuse('NC_EXISTS', `It has a destination ${JSON.stringify(name)} already.`);
        }
        addTarget.run(agentGroupId, name, type, targetId, isoTime(now));
        note({ action: 'destination.added', subject: agentGroupId, detail: { name, type, targetId } });
        destinationsChanged(agentGroupId);
        return { ok: true, data: { name } };
      }),
    removeDestination: (agentGroupId, localName, by, now) =>
      change(by, now, (note) => {
        if (!mayTouch(by, agentGroupId)) return missing('agent', agentGroupId);
        const name = cleanName(localName);
        if (dropTarget.run(agentGroupId, name).changes === 0) return missing('destination', name);
        note({ action: 'destination.removed', subject: agentGroupId, detail: { name } });
        destinationsChanged(agentGroupId);
        return DONE;
      }),
  };
}

/** In a chat with somebody alone all is meant for the agent; in a group what mentions it, and where there are threads the rest of them. */
function defaultTerms(isGroup: boolean, threads: boolean): WiringTerms {
  return {
    sessionMode: 'shared',
    engageMode: !isGroup ? 'pattern' : threads ? 'mention-sticky' : 'mention',
    engagePattern: null,
    senderScope: 'all',
    ignoredMessagePolicy: 'drop',
    priority: 0,
    exclusive: false,
  };
}

/** A pattern makes it the mode; the mode without one takes everything. */
function termsFor(
  before: WiringTerms,
  given: Partial<Omit<NewWiring, 'messagingGroupId' | 'agentGroupId'>>,
): Result<WiringTerms> {
  const engageMode = given.engageMode ?? (given.engagePattern ? 'pattern' : before.engageMode);
  if (engageMode !== 'pattern' && given.engagePattern) {
    return refuse('NC_USAGE', 'A pattern needs the engage mode pattern.');
  }
  const engagePattern = engageMode === 'pattern' ? (given.engagePattern ?? before.engagePattern ?? '.') : null;
  const { priority = before.priority } = given;
  if (!Number.isInteger(priority) || Math.abs(priority) > 1_000) {
    return refuse('NC_USAGE', 'A priority is a whole number from -1000 to 1000.');
  }
  const problem = engagePattern === null ? undefined : patternProblem(engagePattern);
  if (problem) return refuse('NC_USAGE', problem);
  return { ok: true, data: { ...before, ...given, engageMode, engagePattern, priority } };
}

const Terms = z
  .object({
    session_mode: z.enum(['shared', 'per-thread', 'agent-shared']),
    engage_mode: z.enum(['pattern', 'mention', 'mention-sticky']),
    engage_pattern: z.string().nullable(),
    sender_scope: z.enum(['all', 'known']),
    ignored_message_policy: z.enum(['drop', 'accumulate']),
    priority: z.number(),
    exclusive: z.number(),
  })
  .transform(
    (row): WiringTerms => ({
      sessionMode: row.session_mode,
      engageMode: row.engage_mode,
      engagePattern: row.engage_pattern,
      senderScope: row.sender_scope,
      ignoredMessagePolicy: row.ignored_message_policy,
      priority: row.priority,
      exclusive: row.exclusive === 1,
    }),
  );

function columnsOf(terms: WiringTerms) {
  const { sessionMode, engageMode, engagePattern, senderScope, ignoredMessagePolicy, priority, exclusive } = terms;
  return [
    sessionMode,
    engageMode,
    engagePattern,
    senderScope,
    ignoredMessagePolicy,
    priority,
    exclusive ? 1 : 0,
  ] as const;
}
