import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { InboundEvent } from '../channels/adapter.ts';
import type { Roles } from '../people/roles.ts';
import { namesCalled } from './addressed.ts';
import { type Decision, decide, type Facts } from './decide.ts';
import { matchPattern } from './pattern.ts';
import type { Wiring } from './session-key.ts';

/** The facts that routing decides by, from the database. */

/** After that long without a word to it, an agent in a thread wants to be mentioned again. */
const STICKY_MS = 24 * 3_600_000;

export interface Chat {
  id: string;
  unknownSenderPolicy: Facts['unknownSenderPolicy'];
}

export interface Planned {
  wiring: Wiring;
  decision: Decision;
}

export interface Wirings {
  chat(channelType: string, platformId: string): Chat | undefined;
  /** The agents that listen in a chat, the highest priority first. */
  of(chatId: string): Wiring[];
  plan(chat: Chat, wirings: readonly Wiring[], event: InboundEvent, now: number): Planned[];
  /** From now on its agent needs no mention in that thread. Inside a transaction. */
  stick(wiringId: string, threadId: string | null, now: number): void;
  /** Until it is mentioned again. Inside a transaction; false when it wasn't engaged there. */
  letGo(wiringId: string, threadId: string | null): boolean;
}

export function createWirings(db: DatabaseSync, roles: Roles): Wirings {
  const findChat = db.prepare(
    'SELECT id, unknown_sender_policy FROM messaging_groups WHERE channel_type = ? AND platform_id = ?',
  );
  const find = db.prepare(
    `SELECT w.id, w.messaging_group_id, w.agent_group_id, w.session_mode, w.engage_mode, w.engage_pattern, w.sender_scope,
       w.ignored_message_policy, w.exclusive, c.assistant_name
     FROM messaging_group_agents w JOIN container_configs c ON c.agent_group_id = w.agent_group_id
     WHERE w.messaging_group_id = ? ORDER BY w.priority DESC, w.id`,
  );
  const engaged = db.prepare('SELECT 1 FROM engagements WHERE wiring_id = ? AND thread_id = ? AND last_at >= ?');
  const engage = db.prepare(
    `INSERT INTO engagements (wiring_id, thread_id, since, last_at) VALUES (?1, ?2, ?3, ?3)
     ON CONFLICT DO UPDATE SET last_at = excluded.last_at`,
  );
  const release = db.prepare('DELETE FROM engagements WHERE wiring_id = ? AND thread_id = ?');
  const speaker = db.prepare(
    `SELECT s.agent_group_id FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN sessions s ON s.id = m.session_id
     WHERE d.platform_message_id = ? AND m.channel_type = ? AND m.platform_id = ? LIMIT 1`,
  );

  /** A name picks one of several agents behind the same bot; without one, whoever is mentioned is all of them. */
  function addressedIn(wirings: readonly Wiring[], event: InboundEvent): { one: boolean; is(wiring: Wiring): boolean } {
    const names = wirings.map(({ assistantName }) => assistantName);
    const called = namesCalled(event.text, names);
    if (called.size > 0) return { one: true, is: ({ assistantName }) => called.has(assistantName) };
    const answered =
      event.replyTo?.id === undefined
        ? undefined
        : speaker.get(event.replyTo.id, event.channelType, event.platformId)?.agent_group_id;
    if (answered !== undefined) return { one: true, is: ({ agentGroupId }) => agentGroupId === answered };
    return { one: false, is: () => event.isMention };
  }

  return {
    chat(channelType, platformId) {
      const row = findChat.get(channelType, platformId);
      return (
        row && { id: String(row.id), unknownSenderPolicy: row.unknown_sender_policy as Chat['unknownSenderPolicy'] }
      );
    },
    of: (chatId) =>
      find.all(chatId).map((row) => ({
        id: String(row.id),
        messagingGroupId: String(row.messaging_group_id),
        agentGroupId: String(row.agent_group_id),
        assistantName: String(row.assistant_name),
        sessionMode: row.session_mode as Wiring['sessionMode'],
        engageMode: row.engage_mode as Wiring['engageMode'],
        engagePattern: row.engage_pattern as string | null,
        senderScope: row.sender_scope as Wiring['senderScope'],
        ignoredMessagePolicy: row.ignored_message_policy as Wiring['ignoredMessagePolicy'],
        exclusive: row.exclusive === 1,
      })),
    plan(chat, wirings, event, now) {
      const addressed = addressedIn(wirings, event);
      const since = isoTime(now - STICKY_MS);
      let taken = false;
      return wirings.map((wiring) => {
        // What is said to another agent isn't for the one that listened.
        const sticks = wiring.engageMode === 'mention-sticky' && isThread(event) && !addressed.one;
        const decision = decide(wiring, {
          addressed: addressed.is(wiring),
          pattern: wiring.engageMode === 'pattern' ? matchPattern(wiring.engagePattern, event.text) : 'no-match',
          sticky: sticks && engaged.get(wiring.id, event.threadId, since) !== undefined,
          standing: roles.standing(event.senderId, wiring.agentGroupId),
          unknownSenderPolicy: chat.unknownSenderPolicy,
          taken,
        });
        if (wiring.exclusive && decision.do === 'engage') taken = true;
        return { wiring, decision };
      });
    },
    stick(wiringId, threadId, now) {
      engage.run(wiringId, threadId ?? '', isoTime(now));
    },
    letGo: (wiringId, threadId) => release.run(wiringId, threadId ?? '').changes > 0,
  };
}

/** Where no thread parts a conversation from the rest of a group, one mention must not make an agent follow all of it. */
export function isThread({ isGroup, threadId }: Pick<InboundEvent, 'isGroup' | 'threadId'>): boolean {
  return isGroup && threadId !== null;
}
