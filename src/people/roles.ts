import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';

/** Who may do what. Everything here answers no unless a row says yes. */
export interface Roles {
  isOwner(userId: string): boolean;
  /** Owner, global admin, or admin of this agent group. */
  mayAdminister(userId: string, agentGroupId: string): boolean;
  /** The same, or a member. */
  mayTalk(userId: string, agentGroupId: string): boolean;
}

export function createRoles(db: DatabaseSync): Roles {
  const owner = db.prepare("SELECT 1 FROM user_roles WHERE user_id = ? AND role = 'owner'");
  const privileged = db.prepare(
    'SELECT 1 FROM user_roles WHERE user_id = ? AND (agent_group_id IS NULL OR agent_group_id = ?)',
  );
  const member = db.prepare('SELECT 1 FROM agent_group_members WHERE user_id = ? AND agent_group_id = ?');
  const mayAdminister = (userId: string, agentGroupId: string) => privileged.get(userId, agentGroupId) !== undefined;
  return {
    isOwner: (userId) => owner.get(userId) !== undefined,
    mayAdminister,
    mayTalk: (userId, agentGroupId) =>
      mayAdminister(userId, agentGroupId) || member.get(userId, agentGroupId) !== undefined,
  };
}

/** Makes sure that the user has a row; the first name that is seen for them is kept until they change it. */
export function ensureUser(db: DatabaseSync, id: string, displayName: string, now: number): void {
  db.prepare('INSERT OR IGNORE INTO users (id, kind, display_name, created_at) VALUES (?, ?, ?, ?)').run(
    id,
    id.slice(0, id.indexOf(':')),
    displayName,
    isoTime(now),
  );
}

export function grantOwner(db: DatabaseSync, userId: string, now: number): void {
  db.prepare(
    `INSERT INTO user_roles (user_id, role, agent_group_id, granted_at) VALUES (?, 'owner', NULL, ?)
     ON CONFLICT DO NOTHING`,
  ).run(userId, isoTime(now));
}
