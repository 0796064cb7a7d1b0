/** What an agent's searches find, from a session: its thread, its chat, all chats in which the agent listens. */
export const HISTORY_SCOPES = ['thread', 'chat', 'agent'] as const;
export type HistoryScope = (typeof HISTORY_SCOPES)[number];
