import type { DatabaseSync } from 'node:sqlite';
import { TERMINAL_CHANNEL, TERMINAL_PLATFORM_ID } from '../../channels/terminal/address.ts';
import { transaction } from '../db/group-commit.ts';
import type { TakeOver } from '../take-over.ts';

/** Says something about one channel to the owner, on the others. Returns what to deliver. */
export function createTellOwner(db: DatabaseSync, takeOver: TakeOver) {
  const chats = db.prepare(
    `SELECT DISTINCT g.channel_type, g.platform_id FROM user_roles r JOIN user_dms d ON d.user_id = r.user_id
     JOIN messaging_groups g ON g.id = d.messaging_group_id
     WHERE r.role = 'owner' AND r.agent_group_id IS NULL AND g.channel_type NOT IN (?, ?)`,
  );
  return (channelType: string, text: string): string[] => {
    const others = chats.all(channelType, TERMINAL_CHANNEL).map((row) => ({
      channel_type: String(row.channel_type),
      platform_id: String(row.platform_id),
      thread_id: null,
    }));
    const own = { channel_type: TERMINAL_CHANNEL, platform_id: TERMINAL_PLATFORM_ID, thread_id: null };
    return transaction(db, () => [own, ...others].map((chat) => takeOver.say(chat, null, text, null, Date.now())));
  };
}
