import { opendirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { TERMINAL_OWNER } from '../../channels/terminal/address.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Paths } from '../../src/paths.ts';
import { type Change, mayTouchAll, missing, OUT_OF_SCOPE, refuse } from './change.ts';
import type { By, Directory, Hanging } from './index.ts';

/** What hangs on a thing, and its end with all of that: no row, folder or sandbox is left over. The audit log stays. */

export interface RemovalParts {
  db: DatabaseSync;
  change: Change;
  paths: Pick<Paths, 'groups' | 'sessions'>;
  /** Ends what is open there, and says so in its chats; then its sandbox, and its folders. Inside a transaction. */
  endSession(id: string, agentGroupId: string, now: number): void;
  /** Inside a transaction. */
  endApprovals(ids: readonly string[], now: number): void;
  /** What an agent group leaves, with all that is in it. After the commit. */
  dropFolders(agentGroupId: string, folders: readonly string[]): void;
  destinationsChanged(agentGroupId: string): void;
}

type Removal = Pick<Directory, 'hanging' | 'deleteAgentGroup' | 'deleteChat' | 'deleteUser'>;

/** By kind, in words: SQL with the id as `:id`. */
type Counts = Readonly<Record<string, string>>;

const MESSAGES = 'messages WHERE session_id IN (SELECT id FROM sessions WHERE';
const COUNTS: Readonly<Record<'group' | 'chat' | 'user' | 'wiring', Counts>> = {
  group: {
    sessions: 'sessions WHERE agent_group_id = :id',
    messages: `${MESSAGES} agent_group_id = :id)`,
    wirings: 'messaging_group_agents WHERE agent_group_id = :id',
    members: 'agent_group_members WHERE agent_group_id = :id',
    denials: 'denied_senders WHERE agent_group_id = :id',
    roles: 'user_roles WHERE agent_group_id = :id',
    destinations: "agent_destinations WHERE agent_group_id = :id OR (target_type = 'agent' AND target_id = :id)",
    tasks: 'tasks WHERE agent_group_id = :id',
    approvals: `approvals WHERE agent_group_id = :id OR session_id IN (SELECT id FROM sessions WHERE agent_group_id = :id)`,
  },
  chat: {
    sessions: 'sessions WHERE messaging_group_id = :id',
    messages: `${MESSAGES} messaging_group_id = :id)`,
    wirings: 'messaging_group_agents WHERE messaging_group_id = :id',
    destinations: "agent_destinations WHERE target_type = 'channel' AND target_id = :id",
    tasks: 'tasks WHERE messaging_group_id = :id',
    approvals: 'approvals WHERE session_id IN (SELECT id FROM sessions WHERE messaging_group_id = :id)',
  },
  user: {
    roles: 'user_roles WHERE user_id = :id',
    memberships: 'agent_group_members WHERE user_id = :id',
    denials: 'denied_senders WHERE user_id = :id',
  },
  wiring: {
    'kept messages': 'backlog WHERE wiring_id = :id',
    destinations: `agent_destinations d JOIN messaging_group_agents w ON w.id = :id
      WHERE d.agent_group_id = w.agent_group_id AND d.target_type = 'channel' AND d.target_id = w.messaging_group_id`,
  },
};

/** Of wirings and sessions that are chosen by `column`; their own rows come last. */
const drops = (column: string): readonly string[] => {
  const wirings = `(SELECT id FROM messaging_group_agents WHERE ${column} = :id)`;
  const sessions = `(SELECT id FROM sessions WHERE ${column} = :id)`;
  return [
    `DELETE FROM engagements WHERE wiring_id IN ${wirings}`,
    `DELETE FROM backlog WHERE wiring_id IN ${wirings}`,
    `DELETE FROM messaging_group_agents WHERE ${column} = :id`,
    `DELETE FROM deliveries WHERE message_id IN (SELECT id FROM messages WHERE session_id IN ${sessions})`,
    `DELETE FROM messages WHERE session_id IN ${sessions}`,
    `DELETE FROM approvals WHERE session_id IN ${sessions}`,
    `DELETE FROM sessions WHERE ${column} = :id`,
  ];
};

const DROPS = {
  group: [
    ...drops('agent_group_id'),
    'DELETE FROM approvals WHERE agent_group_id = :id',
    'DELETE FROM agent_group_members WHERE agent_group_id = :id',
    'DELETE FROM denied_senders WHERE agent_group_id = :id',
    'DELETE FROM user_roles WHERE agent_group_id = :id',
    "DELETE FROM agent_destinations WHERE agent_group_id = :id OR (target_type = 'agent' AND target_id = :id)",
    'DELETE FROM owner_codes WHERE agent_group_id = :id',
    'DELETE FROM egress_counters WHERE agent_group_id = :id',
    'DELETE FROM agent_groups WHERE id = :id',
  ],
  chat: [
    ...drops('messaging_group_id'),
    "DELETE FROM agent_destinations WHERE target_type = 'channel' AND target_id = :id",
    'DELETE FROM user_dms WHERE messaging_group_id = :id',
    'DELETE FROM messaging_groups WHERE id = :id',
  ],
  user: [
    'DELETE FROM user_roles WHERE user_id = :id',
    'UPDATE user_roles SET granted_by = NULL WHERE granted_by = :id',
    'DELETE FROM agent_group_members WHERE user_id = :id',
    'UPDATE agent_group_members SET added_by = NULL WHERE added_by = :id',
    'DELETE FROM denied_senders WHERE user_id = :id',
    'DELETE FROM user_dms WHERE user_id = :id',
    // What they said stays where it was said.
    'UPDATE messages SET user_id = NULL WHERE user_id = :id',
    'DELETE FROM users WHERE id = :id',
  ],
} as const;

export function createRemoval(parts: RemovalParts): Removal {
  const { db, change, paths } = parts;
  const owners = db.prepare("SELECT count(*) AS n FROM user_roles WHERE role = 'owner' AND user_id <> ?");
  const chatExists = db.prepare('SELECT 1 FROM messaging_groups WHERE id = ?');
  const userExists = db.prepare('SELECT 1 FROM users WHERE id = ?');
  const roles = db.prepare("SELECT 1 FROM user_roles WHERE role = 'owner' AND user_id = ?");
  const sends = db.prepare(
    'SELECT DISTINCT agent_group_id AS id FROM agent_destinations WHERE target_id = ? AND agent_group_id <> ?',
  );

  function hanging(kind: keyof typeof COUNTS, id: string): Hanging {
    const counted = Object.entries(COUNTS[kind]).map(([word, from]): [string, number] => [
      word,
      Number(db.prepare(`SELECT count(*) AS n FROM ${from}`).get({ id })?.n),
    ]);
    const agent = kind === 'group' ? getAgentGroup(db, id) : undefined;
    if (agent) counted.push(['files', countFiles([join(paths.groups, agent.folder), join(paths.sessions, id)])]);
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  /** Sessions first, so that their chats are told before their messages are gone. */
  function drop(kind: 'group' | 'chat' | 'user', id: string, now: number): void {
    const column = kind === 'group' ? 'agent_group_id' : 'messaging_group_id';
    const open = `SELECT id FROM approvals WHERE status IN ('pending', 'naming')
      AND (session_id IN (SELECT id FROM sessions WHERE ${column} = :id) ${kind === 'group' ? 'OR agent_group_id = :id' : ''})`;
    if (kind !== 'user') {
      parts.endApprovals(
        db
          .prepare(open)
          .all({ id })
          .map((row) => String(row.id)),
        now,
      );
      const sessions = db.prepare(`SELECT id, agent_group_id FROM sessions WHERE ${column} = ?`).all(id);
      for (const session of sessions) parts.endSession(String(session.id), String(session.agent_group_id), now);
    }
    const others = sends.all(id, id).map((row) => String(row.id));
    for (const sql of DROPS[kind]) db.prepare(sql).run({ id });
    for (const other of others) parts.destinationsChanged(other);
  }

  return {
    hanging,
    deleteAgentGroup: (id, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const agent = getAgentGroup(db, id);
        if (!agent) return missing('agent', id);
        const gone = hanging('group', id);
        const { name, folder, uidOrdinal } = agent;
        note({ action: 'group.deleted', subject: id, detail: { name, folder, uidOrdinal, ...gone } });
        drop('group', id, now);
        parts.dropFolders(id, [join(paths.sessions, id), join(paths.groups, folder)]);
        return { ok: true, data: gone };
      }),
    deleteChat: (id, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        if (!chatExists.get(id)) return missing('chat', id);
        const gone = hanging('chat', id);
        note({ action: 'chat.deleted', subject: id, detail: gone });
        drop('chat', id, now);
        return { ok: true, data: gone };
      }),
    deleteUser: (id, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        if (!userExists.get(id)) return missing('user', id);
        const refusal = userRefusal(id, by);
        if (refusal) return refusal;
        const gone = hanging('user', id);
        note({ action: 'user.deleted', subject: id, detail: gone });
        drop('user', id, now);
        return { ok: true, data: gone };
      }),
  };

  function userRefusal(id: string, by: By) {
    if (id === TERMINAL_OWNER) return refuse('NC_FORBIDDEN', "That is whoever sits at this machine's terminal.");
    if (!roles.get(id)) return undefined;
    if (by.speakers) return refuse('NC_FORBIDDEN', 'Owners are not made or unmade by an agent.');
    return owners.get(id)?.n === 0
      ? refuse('NC_FORBIDDEN', 'It is the only owner: make somebody else one first.')
      : undefined;
  }
}

const MOST_FILES = 10_000;

/** Counted up to a limit: an agent may have made any number, as deep as it liked. */
function countFiles(folders: readonly string[]): number {
  const queue = [...folders];
  let count = 0;
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    try {
      using entries = opendirSync(folder);
      for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
        if (entry.isDirectory()) queue.push(join(folder, entry.name));
        else count += 1;
        if (count + queue.length >= MOST_FILES) return MOST_FILES;
      }
    } catch (error) {
      // Gone, too deep, or without rights: what is in it goes all the same.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return count;
}
