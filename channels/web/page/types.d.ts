/** What the server says to the page. */

export interface KeptFile {
  id: string;
  name: string;
  type: string;
  size: number;
  image: boolean;
}

export interface Said {
  seq: number;
  rev: number;
  chat: string;
  author: 'me' | 'agent';
  id: string;
  at: string;
  text: string;
  /** The agent's name; the host has none. */
  speaker?: string;
  card?: { title: string; body: string; buttons: { data: string; label: string }[] };
  files: KeptFile[];
  edited: boolean;
  /** `queued`: only this page has it. */
  state: string;
  note?: string;
  outcome?: string;
}

export interface Chat {
  id: string;
  name: string;
  read: number;
  unread: number;
  rev: number;
}

export interface Begin {
  user: string;
  rev: number;
  /** The last message there is. */
  newest: number;
  maxFile: number;
  chats: Chat[];
}

/** A message that waits for its way out. */
export interface Waiting {
  chat: string;
  id: string;
  text: string;
  files: KeptFile[];
  at: string;
}

export type Connection = 'connected' | 'connecting' | 'offline';

export type Inline =
  | { type: 'text' | 'code'; text: string }
  | { type: 'br' }
  | { type: 'strong' | 'em' | 'del'; children: Inline[] }
  | { type: 'link'; href: string; children: Inline[] };

export type Block =
  | { type: 'p'; children: Inline[] }
  | { type: 'heading'; level: number; children: Inline[] }
  | { type: 'code'; language: string; text: string }
  | { type: 'quote'; children: Block[] }
  | { type: 'list'; ordered: boolean; start: number; items: Block[][] }
  | { type: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' };
