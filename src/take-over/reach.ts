import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import type { Session } from '../db/sessions.ts';

/** Where a row goes, under the destination ACL: the session's own chat while it is wired, or one that the agent was given. */
export type Reach = (session: Session, row: Origin) => Origin | undefined;

export function createReach(db: DatabaseSync): Reach {
  const ownChat = db.prepare('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?');
  const reachable = db.prepare(
    `SELECT 1 FROM messaging_groups g JOIN agent_destinations d ON d.target_type = 'channel' AND d.target_id = g.id
     WHERE d.agent_group_id = ? AND g.channel_type = ? AND g.platform_id = ?`,
  );
  const wired = db.prepare(
    `SELECT 1 FROM messaging_groups g JOIN messaging_group_agents w ON w.messaging_group_id = g.id
     WHERE w.agent_group_id = ? AND g.channel_type = ? AND g.platform_id = ?`,
  );
  return (session, row) => {
    const own = session.messagingGroupId === null ? undefined : ownChat.get(session.messagingGroupId);
    const isUnsaid = row.channel_type === null || row.platform_id === null;
    if (isUnsaid && !own) return undefined;
    const to = isUnsaid
      ? { channel_type: String(own?.channel_type), platform_id: String(own?.platform_id), thread_id: session.threadId }
      : { channel_type: row.channel_type, platform_id: row.platform_id, thread_id: row.thread_id };
    // A session of all of an agent's chats answers in each of them. One may have been taken from it since it was asked.
    const isOwn = !own || (own.channel_type === to.channel_type && own.platform_id === to.platform_id);
    const mayAnswer = isOwn && wired.get(session.agentGroupId, to.channel_type, to.platform_id) !== undefined;
    return mayAnswer || reachable.get(session.agentGroupId, to.channel_type, to.platform_id) ? to : undefined;
  };
}
