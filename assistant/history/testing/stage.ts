import { rmSync } from 'node:fs';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../../src/db/group-commit.ts';
import { newId } from '../../../src/db/ids.ts';
import type { Session } from '../../../src/db/sessions.ts';
import { pathsFor } from '../../../src/paths.ts';
import { createInstall, type Install } from '../../../test/support/central.ts';
import { createHistory, type History, type Looking, type Wish } from '../index.ts';

/** An install in which things were said, and the real index of them in its own process. */

export interface Stage extends AsyncDisposable {
  install: Install;
  history: History;
  now: number;
  addAgent(id: string): string;
  /** Wired to the first agent, where nothing else is said. */
  addChat(id: string, more?: { agent?: string; mode?: string; name?: string }): string;
  session(chat: string | null, more?: { agent?: string; thread?: string }): Session;
  /** Said in a chat and read there; returns its id. */
  hears(session: Session, chat: string, text: string, more?: Heard): string;
  /** Said by the agent. */
  says(session: Session, chat: string, text: string, more?: Spoken): string;
  /** The texts that were found, the newest first. */
  finds(words: string, looking: Looking, more?: Partial<Wish>): Promise<string[]>;
  run(sql: string, ...values: (string | number | null)[]): void;
  /** As after a start of the host. */
  restart(): Promise<void>;
}

interface Heard {
  sender?: string;
  userId?: string;
  at?: number;
  thread?: string;
  status?: string;
  outcome?: string;
  kind?: string;
  content?: unknown;
}

interface Spoken {
  at?: number;
  thread?: string;
  delivery?: string;
  content?: unknown;
  seq?: number | null;
  id?: string;
}

export function createStage(): Stage {
  const install = createInstall();
  const { db, root, sessions, agentId } = install;
  const paths = pathsFor(root);
  const log = { info: () => undefined, warn: () => undefined };
  let history = createHistory({ db, paths, log });
  let count = 0;
  const base = Date.parse('2026-03-01T12:00:00Z');

  const run: Stage['run'] = (sql, ...values) => void db.prepare(sql).run(...values);
  const next = () => {
    count += 1;
    return base + count * 60_000;
  };
  const insert = db.prepare(
    `INSERT INTO messages (id, session_id, direction, seq, kind, timestamp, status, outcome, channel_type, platform_id, thread_id,
       user_id, content, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'test', ?, ?, ?, ?, ?)`,
  );
  return {
    install,
    get history() {
      return history;
    },
    now: base + 86_400_000,
    addAgent(id) {
      count += 1;
      const ordinal = 50 + count;
      run('INSERT INTO agent_groups VALUES (?, ?, ?, ?, ?)', id, id, id, ordinal, isoTime(base));
      run(
        `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
         VALUES (?, 'demo', ?, 'Europe/Berlin', ?)`,
        id,
        id,
        isoTime(base),
      );
      return id;
    },
    addChat(id, { agent = agentId, mode = 'shared', name = id } = {}) {
      run(
        `INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?1, 'test', ?1, ?2, ?3)
         ON CONFLICT DO NOTHING`,
        id,
        name,
        isoTime(base),
      );
      run(
        `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, session_mode, engage_mode, created_at)
         VALUES (?, ?, ?, ?, 'mention', ?)`,
        newId('mga', next()),
        id,
        agent,
        mode,
        isoTime(base),
      );
      return id;
    },
    session: (chat, { agent = agentId, thread = null as string | null } = {}) =>
      transaction(db, () => sessions.ensure(agent, chat, thread, base)),
    hears(session, chat, text, more = {}) {
      const { sender = 'Ann', userId = null, at = next(), thread = null, status = 'completed', kind = 'chat' } = more;
      const id = newId('msg', at);
      const content = JSON.stringify(more.content ?? { text, sender });
      if (userId !== null)
        run('INSERT OR IGNORE INTO users VALUES (?, ?, ?, ?)', userId, 'test', sender, isoTime(base));
      const outcome = more.outcome ?? 'reply';
      count += 1;
      insert.run(
        id,
        session.id,
        'in',
        count * 2,
        kind,
        isoTime(at),
        status,
        outcome,
        chat,
        thread,
        userId,
        content,
        isoTime(at),
      );
      return id;
    },
    says(session, chat, text, more = {}) {
      const { at = next(), thread = null, delivery = 'sent' } = more;
      count += 1;
      const id = more.id ?? `${session.id}.${newId('msg', at)}`;
      const seq = more.seq === undefined ? count * 2 + 1 : more.seq;
      const content = JSON.stringify(more.content ?? { text });
      insert.run(
        id,
        session.id,
        'out',
        seq,
        'chat',
        isoTime(at),
        'completed',
        null,
        chat,
        thread,
        null,
        content,
        isoTime(at),
      );
      run(
        'INSERT INTO deliveries (message_id, status, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)',
        id,
        delivery,
        isoTime(at),
      );
      return id;
    },
    async finds(words, looking, more = {}) {
      const found = await history.search({ words, limit: 20, ...more }, looking, base + 86_400_000);
      if (!found.ok) throw new Error(`${found.code} ${found.detail}`);
      return found.data.hits.map(({ text }) => text);
    },
    run,
    async restart() {
      await history.stop();
      history = createHistory({ db, paths, log });
    },
    async [Symbol.asyncDispose]() {
      await history.stop();
      install[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
