import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import { transaction } from '../db/group-commit.ts';
import type { TakeOver } from '../take-over/index.ts';

/** Whoever has this machine: the user that they are, and the chat with them that needs no platform. */
export interface LocalOwner {
  user: string;
  chat: Origin;
}

/** Says something about one channel to the owner, on the others. Returns what to deliver. */
export function createTellOwner(db: DatabaseSync, takeOver: TakeOver, { chat: own }: LocalOwner) {
  const chats = db.prepare(
    `SELECT DISTINCT g.channel_type, g.platform_id FROM user_roles r JOIN user_dms d ON d.user_id = r.user_id
     JOIN messaging_groups g ON g.id = d.messaging_group_id
     WHERE r.role = 'owner' AND r.agent_group_id IS NULL AND g.channel_type NOT IN (?, ?)`,
  );
  return (channelType: string, text: string): string[] => {
    const others = chats.all(channelType, own.channel_type).map((row) => ({
      channel_type: String(row.channel_type),
      platform_id: String(row.platform_id),
      thread_id: null,
    }));
    return transaction(db, () => [own, ...others].map((chat) => takeOver.say(chat, null, text, null, Date.now())));
  };
}
