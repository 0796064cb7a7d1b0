import type { DatabaseSync } from 'node:sqlite';
import type { By } from './index.ts';

/** What an agent of scope `group` sees beyond itself: one definition, for what it may name and for what it is shown. */

/** SQL: the chats in which agent group `:scope` is, or was, or may send to. `id` is the column of a chat's id. */
export function chatsOf(id: string): string {
  const inChat = (table: string, column: string) =>
    `EXISTS (SELECT 1 FROM ${table} x WHERE x.${column} = ${id} AND x.agent_group_id = :scope)`;
  return `(${inChat('messaging_group_agents', 'messaging_group_id')} OR ${inChat('sessions', 'messaging_group_id')}
    OR ${inChat('agent_destinations', 'target_id')})`;
}

/** SQL: those who have something to do with it. */
export function usersOf(id: string): string {
  const tables = ['agent_group_members', 'denied_senders', 'user_roles'];
  const parts = tables.map((table) => `SELECT 1 FROM ${table} x WHERE x.user_id = ${id} AND x.agent_group_id = :scope`);
  return `EXISTS (${parts.join(' UNION ALL ')})`;
}

export type Sees = (by: By, kind: 'chat' | 'group' | 'user', id: string) => boolean;

/** Whether what exists is there for them. */
export function createSight(db: DatabaseSync): Sees {
  const chat = db.prepare(`SELECT 1 WHERE ${chatsOf(':id')}`);
  const user = db.prepare(`SELECT 1 WHERE ${usersOf(':id')}`);
  return ({ scope, speakers = [] }, kind, id) => {
    if (scope === null) return true;
    if (kind === 'group') return id === scope;
    // Whom it is talking to is nothing new to it.
    if (kind === 'user' && speakers.includes(id)) return true;
    return (kind === 'chat' ? chat : user).get({ id, scope }) !== undefined;
  };
}
