import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { newId } from '../../src/db/ids.ts';
import { createMessages } from '../../src/db/messages.ts';
import { createSessions, type Session } from '../../src/db/sessions.ts';

/** In a new chat the agent speaks first. */

const SKILL = join(import.meta.dirname, '../../container/skills/welcome/SKILL.md');

/**
 * Asks the agent for its first words in a chat with somebody alone, where it is wired. Once: when it has ever had a session
 * there, nothing is done, and nothing returned. Inside a transaction; the host wakes the session, or finds it due.
 */
export function welcome(db: DatabaseSync, agentGroupId: string, chatId: string, now: number): Session | undefined {
  const chat = db
    .prepare(
      `SELECT g.channel_type, g.platform_id, w.session_mode = 'agent-shared' AS shared
       FROM messaging_group_agents w JOIN messaging_groups g ON g.id = w.messaging_group_id
       WHERE w.agent_group_id = ? AND w.messaging_group_id = ?`,
    )
    .get(agentGroupId, chatId);
  if (!chat) return undefined;
  const place = chat.shared === 1 ? null : chatId;
  const known = db.prepare('SELECT 1 FROM sessions WHERE agent_group_id = ? AND messaging_group_id IS ?');
  if (known.get(agentGroupId, place)) return undefined;
  const session = createSessions(db).ensure(agentGroupId, place, null, now);
  const message = {
    id: newId('msg', now),
    sessionId: session.id,
    kind: 'task' as const,
    timestamp: isoTime(now),
    trigger: true,
    content: { prompt: readFileSync(SKILL, 'utf8').replace(/^---\n[\s\S]*?\n---\n+/, '') },
    channel_type: String(chat.channel_type),
    platform_id: String(chat.platform_id),
    thread_id: null,
  };
  createMessages(db).addInbound(message, now);
  return session;
}
