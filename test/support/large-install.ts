import { join } from 'node:path';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { SCRIPTED_CHANNEL } from './scripted/adapter.ts';

export interface Sizes {
  users: number;
  chats: number;
  sessions: number;
  agents: number;
  /** In all sessions together. */
  messages: number;
}

/** Fills an install with people, chats, sessions and what was said. The host must not run. */
export function fill(home: string, { users, chats, sessions, agents, messages }: Sizes): void {
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  const at = (count: number) => new Date(Date.now() - count * 1_000).toISOString();
  const id = (prefix: string, count: number) => `${prefix}-big${String(count).padStart(6, '0')}xyzxyzxyz`;
  const each = (sql: string, count: number, row: (count: number) => (string | number | null)[]) => {
    const insert = db.prepare(sql);
    for (let one = 0; one < count; one += 1) insert.run(...row(one));
  };
  const user = (count: number) => `telegram:${1_000_000 + (count % users)}`;
  const agent = (count: number) => id('ag', count % agents);
  const chat = (count: number) => id('mg', count % chats);
  transaction(db, () => {
    each('INSERT INTO users VALUES (?, ?, ?, ?)', users, (n) => [user(n), 'telegram', `Person ${n} 日本 👩‍🚀`, at(n)]);
    each('INSERT INTO agent_groups VALUES (?, ?, ?, ?, ?)', agents, (n) => [
      id('ag', n),
      `Agent ${n}`,
      `agent-${n}`,
      100 + n,
      at(n),
    ]);
    each(
      `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
       VALUES (?, 'demo', ?, 'Europe/Berlin', ?)`,
      agents,
      (n) => [id('ag', n), `Agent ${n}`, at(n)],
    );
    each(
      `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
       VALUES (?, ?, ?, ?, 1, 'public', ?)`,
      chats,
      (n) => [id('mg', n), SCRIPTED_CHANNEL, `chat-${n}`, `Chat ${n}`, at(n)],
    );
    each(
      `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
       VALUES (?, ?, ?, 'pattern', '^deploy', ?)`,
      chats * 2,
      (n) => [id('mga', n), chat(n), agent(n + Math.floor(n / chats)), at(n)],
    );
    each('INSERT INTO agent_destinations VALUES (?, ?, ?, ?, ?)', chats, (n) => [
      agent(n),
      `chat-${n}`,
      'channel',
      chat(n),
      at(n),
    ]);
    each('INSERT INTO agent_group_members VALUES (?, ?, NULL, ?)', users, (n) => [user(n), agent(n), at(n)]);
    each("INSERT INTO user_roles VALUES (?, 'admin', ?, NULL, ?)", agents * 2, (n) => [user(n), agent(n), at(n)]);
    each('INSERT INTO denied_senders VALUES (?, ?, NULL, ?)', agents * 2, (n) => [
      agent(n),
      user(users - 1 - n),
      at(n),
    ]);
    each('INSERT INTO user_dms VALUES (?, ?, ?, ?)', chats, (n) => [user(n), 'telegram', chat(n), at(n)]);
    each(
      `INSERT INTO sessions (id, agent_group_id, messaging_group_id, thread_id, last_active, created_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
      sessions,
      (n) => [id('sess', n), agent(n), chat(n), `thread-${n}`, at(n), at(n)],
    );
    each(
      `INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, trigger, user_id, content, created_at)
       VALUES (?, ?, 'in', ?, 'chat', ?, 'completed', 1, ?, '{"text":"something that was said"}', ?)`,
      messages,
      (n) => [id('msg', n), id('sess', n % sessions), 2 * (1 + Math.floor(n / sessions)), at(n), user(n), at(n)],
    );
    each("INSERT INTO dropped_messages VALUES ('telegram', ?, 'unknown-sender', 7, ?, ?, ?)", chats * 4, (n) => [
      `-${n}`,
      at(n),
      at(n),
      user(n),
    ]);
    each(
      `INSERT INTO approvals (id, kind, status, subject, agent_group_id, title, body, options, created_at, expires_at)
       VALUES (?, 'unknown-sender', 'approved', ?, ?, 'Somebody wants to talk', 'Text', '[]', ?, ?)`,
      chats,
      (n) => [id('appr', n), String(n), agent(n), at(n), at(n)],
    );
  });
  db.close();
}
