/** The one chat and the one user that the terminal has: whoever may open the socket (0600) owns this install. */
export const TERMINAL_CHANNEL = 'terminal';
export const TERMINAL_PLATFORM_ID = 'local';
export const TERMINAL_OWNER = 'terminal:owner';
