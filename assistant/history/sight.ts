import type { DatabaseSync } from 'node:sqlite';
import type { Place } from './places.ts';

/** What a session may find, from the central database as it is at that moment. */

export interface Chat {
  id: string;
  channelType: string;
  platformId: string;
  name: string | null;
}

export interface Sight {
  timezone: string;
  /** Where it may look; a chat without a thread is all of it. */
  chats: readonly { chat: Chat; place: Place }[];
}

export interface Sights {
  /** Undefined: there is no such session. */
  of(sessionId: string): Sight | undefined;
  /** Of everything: for the owner. */
  chats(): readonly Chat[];
  agents(): readonly string[];
}

const CHAT = 'g.id, g.channel_type, g.platform_id, g.name';

export function createSights(db: DatabaseSync): Sights {
  const session = db.prepare(
    `SELECT s.agent_group_id, s.messaging_group_id, s.thread_id, c.history, c.timezone
     FROM sessions s JOIN container_configs c USING (agent_group_id) WHERE s.id = ?`,
  );
  const own = db.prepare(`SELECT ${CHAT} FROM messaging_groups g WHERE g.id = ?`);
  // An agent that was taken out of a chat has no business there any more.
  const wired = db.prepare(
    `SELECT ${CHAT} FROM messaging_group_agents w JOIN messaging_groups g ON g.id = w.messaging_group_id
     WHERE w.agent_group_id = ?1 AND (?2 OR w.session_mode = 'agent-shared')`,
  );
  const agents = db.prepare('SELECT id FROM agent_groups');
  const all = db.prepare(`SELECT ${CHAT} FROM messaging_groups g`);

  return {
    of(sessionId) {
      const found = session.get(sessionId);
      if (!found) return undefined;
      const agent = String(found.agent_group_id);
      const placeOf = ({ channelType, platformId }: Chat, threadId?: string): Place =>
        threadId === undefined ? [agent, channelType, platformId] : [agent, channelType, platformId, threadId];
      const isShared = found.messaging_group_id === null;
      const ownChat = isShared ? [] : own.all(String(found.messaging_group_id)).map(toChat);
      const others =
        isShared || found.history === 'agent' ? wired.all(agent, found.history === 'agent' ? 1 : 0).map(toChat) : [];
      const thread = found.history === 'thread' ? String(found.thread_id ?? '') : undefined;
      const chats = [
        ...ownChat.map((chat) => ({ chat, place: placeOf(chat, thread) })),
        ...others.filter(({ id }) => id !== ownChat[0]?.id).map((chat) => ({ chat, place: placeOf(chat) })),
      ];
      return { timezone: String(found.timezone), chats };
    },
    chats: () => all.all().map(toChat),
    agents: () => agents.all().map((row) => String(row.id)),
  };
}

/** Those that are meant by an id, a name or `<channel>/<chat>`. */
export function chatsNamed<T extends Chat>(given: string, chats: readonly T[]): T[] {
  const wanted = given.normalize('NFC').trim();
  const tests: ((chat: Chat) => boolean)[] = [
    ({ id }) => id === wanted,
    ({ channelType, platformId }) => `${channelType}/${platformId}` === wanted,
    ({ name }) => name === wanted,
    ({ name }) => name?.toLowerCase() === wanted.toLowerCase(),
  ];
  for (const test of tests) {
    const found = chats.filter(test);
    if (found.length > 0) return found;
  }
  return [];
}

function toChat(row: Record<string, unknown>): Chat {
  return {
    id: String(row.id),
    channelType: String(row.channel_type),
    platformId: String(row.platform_id),
    name: row.name === null ? null : String(row.name),
  };
}
