import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { Standing } from '../routing/decide.ts';

/** Who may do what. Everything here answers no unless a row says yes. */
export interface Roles {
  isOwner(userId: string): boolean;
  /** Owner or global admin. */
  mayAdministerAll(userId: string): boolean;
  /** Owner, global admin, or admin of this agent group. */
  mayAdminister(userId: string, agentGroupId: string): boolean;
  /** The highest of a user's rights there; a denial counts for those who have none. */
  standing(userId: string, agentGroupId: string): Standing;
}

export function createRoles(db: DatabaseSync): Roles {
  const grants = db.prepare(
    `SELECT role, agent_group_id IS NULL AS everywhere FROM user_roles
     WHERE user_id = ?1 AND (agent_group_id IS NULL OR agent_group_id = ?2)`,
  );
  const member = db.prepare('SELECT 1 FROM agent_group_members WHERE user_id = ? AND agent_group_id = ?');
  const denied = db.prepare('SELECT 1 FROM denied_senders WHERE user_id = ? AND agent_group_id = ?');
  const has = (userId: string, agentGroupId: string, test: (role: string, everywhere: boolean) => boolean) =>
    grants.all(userId, agentGroupId).some((row) => test(String(row.role), row.everywhere === 1));
  return {
    isOwner: (userId) => has(userId, '', (role) => role === 'owner'),
    mayAdministerAll: (userId) => has(userId, '', (_role, everywhere) => everywhere),
    mayAdminister: (userId, agentGroupId) => has(userId, agentGroupId, () => true),
    standing(userId, agentGroupId) {
      const rows = grants.all(userId, agentGroupId);
      if (rows.length > 0) return rows.some((row) => row.role === 'owner') ? 'owner' : 'admin';
      if (member.get(userId, agentGroupId)) return 'member';
      return denied.get(userId, agentGroupId) ? 'denied' : 'unknown';
    },
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
