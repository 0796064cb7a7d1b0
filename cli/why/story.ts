import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { whyHeld } from '../../assistant/usage/held.ts';

/** What is told of one thing: what happened, in its order, and how it stands now. */
export interface Story {
  /** What it is, with its ids. */
  about: string;
  lines: Line[];
  /** As things are now, and what can be done about them. */
  now: string[];
}

export interface Line {
  /** ISO-8601 UTC. */
  at: string;
  /** One sentence, or some. */
  text: string;
}

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Rows of a query, and what ids stand for. */
export interface Teller {
  all(sql: string, ...values: SQLInputValue[]): Row[];
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** Anyone who acts: a user, the host, an agent. */
  who(id: unknown): string;
  agent(id: unknown): string;
  chat(channelType: unknown, platformId: unknown): string;
  chatById(id: unknown): string;
  wiring(id: unknown): string;
  /** Why what is asked of that agent waits for its budget, where that is so. */
  held(agentGroupId: unknown): string | undefined;
}

const SHOWN_TEXT = 100;

export function createTeller(db: DatabaseSync): Teller {
  const get = (sql: string, ...values: SQLInputValue[]): Row | undefined => db.prepare(sql).get(...values);
  const text = (value: unknown) => String(value ?? '');

  function agent(id: unknown): string {
    return text(get('SELECT name FROM agent_groups WHERE id = ?', text(id))?.name ?? id);
  }

  function chat(channelType: unknown, platformId: unknown): string {
    const sql = 'SELECT name FROM messaging_groups WHERE channel_type = ? AND platform_id = ?';
    const name = get(sql, text(channelType), text(platformId))?.name;
    return `${text(channelType)}/${text(platformId)}${name ? ` (${text(name)})` : ''}`;
  }

  function chatById(id: unknown): string {
    const row = get('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?', text(id));
    return row ? chat(row.channel_type, row.platform_id) : text(id);
  }

  return {
    all: (sql, ...values) => db.prepare(sql).all(...values),
    get,
    agent,
    chat,
    chatById,
    who(id) {
      if (id === 'host') return 'the host';
      if (id === null || id === undefined || id === '') return 'somebody';
      const given = text(id);
      if (given.startsWith('agent:')) return `the agent ${agent(given.slice('agent:'.length))}`;
      const name = get('SELECT display_name FROM users WHERE id = ?', given)?.display_name;
      return name && name !== given ? `${text(name)} (${given})` : given;
    },
    held: (id) => whyHeld(db, text(id), Date.now()),
    wiring(id) {
      const row = get('SELECT messaging_group_id, agent_group_id FROM messaging_group_agents WHERE id = ?', text(id));
      return row ? `${agent(row.agent_group_id)} in ${chatById(row.messaging_group_id)}` : text(id);
    },
  };
}

/** A sentence that begins with a name of ours. */
export function capital(sentence: string): string {
  return sentence.startsWith('the ') || sentence.startsWith('somebody')
    ? sentence.charAt(0).toUpperCase() + sentence.slice(1)
    : sentence;
}

/** Of a text, or of the JSON that holds it: enough to know it by. */
export function quoted(text: unknown): string {
  const line = String(text ?? '').replace(/\s+/g, ' ');
  return `“${line.length > SHOWN_TEXT ? `${line.slice(0, SHOWN_TEXT - 1)}…` : line}”`;
}

export function field(json: unknown, name: string): unknown {
  try {
    const value: unknown = JSON.parse(String(json));
    return typeof value === 'object' && value !== null
      ? Object.entries(value).find(([key]) => key === name)?.[1]
      : undefined;
  } catch {
    return undefined;
  }
}

export function counted(count: unknown, one: string, more = `${one}s`): string {
  return Number(count) === 1 ? `one ${one}` : `${Number(count)} ${more}`;
}
