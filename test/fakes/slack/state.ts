/** What a workspace of the scripted Slack holds. */

export interface SlackMessage {
  ts: string;
  channel: string;
  user: string;
  text: string;
  bot_id?: string;
  thread_ts?: string;
  subtype?: string;
  latest_reply?: string;
  blocks?: readonly SlackBlock[];
  files?: readonly SlackFile[];
}

export interface SlackBlock {
  type: string;
  text?: { type: string; text: string };
  elements?: readonly { type: string; action_id: string; value: string; text: { type: string; text: string } }[];
}

export interface SlackFile {
  id: string;
  name: string;
  size: number;
  mimetype?: string;
  url_private?: string;
}

export interface SlackChat {
  id: string;
  name?: string;
  user?: string;
  is_im?: boolean;
  is_channel?: boolean;
  is_archived?: boolean;
  is_member?: boolean;
}

export const BOT_TOKEN = 'xoxb-1111-2222-scriptedbottoken';
export const APP_TOKEN = 'xapp-1-A111-3333-scriptedapptoken';
export const SIGNING_SECRET = '8f742231b10e8888abcd99yyyzzz85a5'.replaceAll(/[yz]/g, '0');
export const BOT = { id: 'UBOT0001', botId: 'BBOT0001', name: 'andy' };
export const TEAM = { id: 'T0001', name: 'Test Works' };
export const GROUP = 'C0001';

export function createState() {
  const users = new Map<string, { name: string; isBot: boolean }>([[BOT.id, { name: BOT.name, isBot: true }]]);
  const chats = new Map<string, SlackChat>([
    [GROUP, { id: GROUP, name: 'general', is_channel: true, is_member: true }],
    ['C0002', { id: 'C0002', name: 'others', is_channel: true, is_member: false }],
    ['C0003', { id: 'C0003', name: 'old', is_channel: true, is_member: true, is_archived: true }],
  ]);
  const messages: SlackMessage[] = [];
  const uploads = new Map<string, SlackFile & { content: Buffer | undefined; isShared: boolean }>();
  let last = 0;

  return {
    users,
    chats,
    messages,
    uploads,
    /** Who was called by what the bot wrote. */
    notified: [] as string[],
    reactions: [] as { channel: string; ts: string; name: string }[],
    statuses: [] as { channel: string; thread: string; status: string }[],
    ephemeral: [] as { channel: string; user: string; text: string }[],
    /** Called with what the bot posts, before it is answered. */
    onPut: (_: SlackMessage): void => {},
    /** Each later than the one before, as numbers too. */
    nextTs(): string {
      last = Math.max(Date.now() * 1000, last + 1);
      return `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, '0')}`;
    },
    person(name: string): string {
      const id = `U${name
        .toUpperCase()
        .replaceAll(/[^A-Z0-9]/g, '')
        .padEnd(7, '0')}`;
      if (!users.has(id)) users.set(id, { name, isBot: false });
      return id;
    },
    dmOf(user: string): string {
      const id = `D${user.slice(1)}`;
      if (!chats.has(id)) chats.set(id, { id, user, is_im: true, is_member: true });
      return id;
    },
  };
}

export type SlackState = ReturnType<typeof createState>;
