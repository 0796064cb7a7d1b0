import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { Membership } from '../../src/channels/adapter.ts';
import { newId } from '../../src/db/ids.ts';
import { chatNameOf } from './words.ts';

/** The chats that the bot is in, and those that it was in: known by name, with nobody asked and nothing wired. */

export interface Memberships {
  /** Inside a transaction. */
  apply(membership: Membership, now: number): void;
  /** It has left that chat, or was put out of it: nothing can be said there. */
  isGone(channelType: string, platformId: string): boolean;
  /** Something was heard there, so that it is back. Inside a transaction. */
  back(channelType: string, platformId: string): void;
}

/** Whoever likes can take a bot into groups: more than so many that no agent listens in are not noted. */
const MOST_UNWIRED = 1_000;

export function createMemberships(db: DatabaseSync): Memberships {
  const place = 'channel_type = ?1 AND platform_id = ?2';
  const rename = db.prepare(`UPDATE messaging_groups SET name = ?3 WHERE ${place} AND name IS NOT ?3`);
  const leave = db.prepare(`UPDATE messaging_groups SET left_at = ?3 WHERE ${place} AND left_at IS NULL`);
  const back = db.prepare(`UPDATE messaging_groups SET left_at = NULL WHERE ${place}`);
  const gone = db.prepare(`SELECT 1 FROM messaging_groups WHERE ${place} AND left_at IS NOT NULL`);
  const add = db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
     SELECT ?3, ?1, ?2, ?4, 1, 'request_approval', ?5
     WHERE (SELECT count(*) FROM messaging_groups g WHERE g.channel_type = ?1 AND NOT EXISTS
       (SELECT 1 FROM messaging_group_agents w WHERE w.messaging_group_id = g.id)) < ${MOST_UNWIRED}
     ON CONFLICT DO NOTHING`,
  );
  return {
    apply({ channelType, platformId, joined, isGroup, chatName }, now) {
      const name = chatNameOf(chatName);
      // Of a chat with somebody alone nothing is kept until they may talk to an agent.
      if (joined && isGroup) add.run(channelType, platformId, newId('mg', now), name ?? null, isoTime(now));
      if (name !== undefined) rename.run(channelType, platformId, name);
      if (joined) back.run(channelType, platformId);
      else leave.run(channelType, platformId, isoTime(now));
    },
    isGone: (channelType, platformId) => gone.get(channelType, platformId) !== undefined,
    back: (channelType, platformId) => void back.run(channelType, platformId),
  };
}
