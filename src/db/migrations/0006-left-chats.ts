/** Chats that the bot is no longer in. */
export const leftChats = {
  name: '0006-left-chats',
  sql: 'ALTER TABLE messaging_groups ADD COLUMN left_at TEXT;',
};
