import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import { inline } from '../../admin/approvals/card.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import type { Roles } from '../../src/people/roles.ts';
import { mayTalk } from '../../src/routing/decide.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import type { Question } from './table.ts';

/** Who is asked, and who may answer: from the central database, as it is at that moment. */

export interface PeopleParts {
  db: DatabaseSync;
  roles: Pick<Roles, 'standing'>;
  wirings: Pick<Wirings, 'chat' | 'of'>;
  sessions: Pick<Sessions, 'get'>;
}

export type People = ReturnType<typeof createPeople>;

export function createPeople({ db, roles, wirings, sessions }: PeopleParts) {
  // Of the turn: what is open of its origin, up to what it has taken. Who waits behind it has asked nothing yet.
  const speaking = db.prepare(
    `SELECT DISTINCT m.user_id FROM messages t JOIN messages m ON m.session_id = t.session_id AND m.direction = 'in'
       AND m.status IN ('pending', 'paused') AND m.trigger = 1 AND m.seq <= t.seq AND m.user_id IS NOT NULL
       AND m.channel_type IS t.channel_type AND m.platform_id IS t.platform_id AND m.thread_id IS t.thread_id
     WHERE t.id = ?2 AND t.session_id = ?1 AND t.channel_type IS ?3 AND t.platform_id IS ?4`,
  );
  const nameOf = db.prepare('SELECT display_name FROM users WHERE id = ?');
  const isGroup = db.prepare('SELECT is_group FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const name = (userId: string) => inline(String(nameOf.get(userId)?.display_name ?? userId));

  return {
    /** Who has asked for it, where the question goes to the chat of its turn. */
    speakers: (sessionId: string, turnOf: string | null, { channel_type, platform_id }: Origin): string[] =>
      turnOf === null
        ? []
        : speaking.all(sessionId, turnOf, channel_type, platform_id).map((row) => String(row.user_id)),
    /** For whom it is, where others see it, too. */
    namesOf: ({ askedOf, channel_type, platform_id }: Question): string[] =>
      isGroup.get(channel_type, platform_id)?.is_group === 1 ? askedOf.map(name) : [],
    whoAnswered: ({ answeredBy }: Question): string => (answeredBy === null ? 'Nobody' : name(answeredBy)),
    mayAnswer(userId: string, { askedOf, sessionId, channel_type, platform_id }: Question): boolean {
      if (askedOf.length > 0 && !askedOf.includes(userId)) return false;
      const session = sessions.get(sessionId);
      if (!session || channel_type === null || platform_id === null) return false;
      const standing = roles.standing(userId, session.agentGroupId);
      const chat = wirings.chat(channel_type, platform_id);
      const wiring = chat && wirings.of(chat.id).find(({ agentGroupId }) => agentGroupId === session.agentGroupId);
      // Where the agent only speaks, and doesn't listen, nobody is let in by the terms of the chat.
      if (!chat || !wiring) return standing !== 'unknown' && standing !== 'denied';
      return mayTalk(wiring, { standing, unknownSenderPolicy: chat.unknownSenderPolicy });
    },
  };
}
