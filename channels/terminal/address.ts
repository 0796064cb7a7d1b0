/** Who and where somebody is on a terminal. Whoever may open the socket (0600) owns this install, and may play anybody. */

export const TERMINAL_CHANNEL = 'terminal';
export const TERMINAL_PLATFORM_ID = 'local';
export const TERMINAL_OWNER = 'terminal:owner';
export const OWNER = 'owner';
/** As the host knows whoever has this machine. */
export const LOCAL_OWNER = {
  user: TERMINAL_OWNER,
  chat: { channel_type: TERMINAL_CHANNEL, platform_id: TERMINAL_PLATFORM_ID, thread_id: null },
};

export const NAME_RULE =
  'A chat, a user or a thread is called by 1 to 64 letters, digits, dots, dashes and underscores.';

export function isName(name: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(name);
}

export function isChatName(name: string): boolean {
  return /^(dm-)?[A-Za-z0-9._-]{1,64}$/.test(name);
}

/** The chat with this user alone. */
export function dmOf(user: string): string {
  return user === OWNER ? TERMINAL_PLATFORM_ID : `dm-${user}`;
}

export function isGroupChat(chat: string): boolean {
  return chat !== TERMINAL_PLATFORM_ID && !chat.startsWith('dm-');
}
