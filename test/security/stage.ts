import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { upgradeOutbound } from '@nanoclaw/protocol';
import { type Answer, askHost } from '../../container/agent-runner/src/ncl/ask.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { addChats, addMembers, type Cast, openCast, type Sent } from '../support/cast.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** One host with two agents: Andy, in the middle of a turn in the chat `family`, and another one that is no business of Andy's. */

/** What Andy may not see, and beside it what isn't there at all: to Andy both have to be the same. */
export const REFS = {
  group: ['ag-zzsecret0123456', 'ag-zznothing0123456'],
  groupName: ['Zelda Secret', 'Yvonne Nobody'],
  groupFolder: ['zelda-secret', 'yvonne-nobody'],
  prefix: ['ag-zzsecret', 'ag-zznothing'],
  chat: ['mg-zzsecret0123456', 'mg-zznothing0123456'],
  chatName: ['Secret Den', 'Empty Den'],
  chatPlace: ['terminal/secret-den', 'terminal/empty-den'],
  wiring: ['mga-zzsecret0123456', 'mga-zznothing0123456'],
  session: ['sess-zzsecret0123456', 'sess-zznothing0123456'],
  approval: ['appr-zzsecret0123456', 'appr-zznothing0123456'],
  user: ['terminal:zoe', 'terminal:yve'],
  userName: ['Zoe Secret', 'Yve Nobody'],
  destination: ['secret-lair', 'empty-lair'],
} as const;

/** In nothing that Andy hears. */
export const SECRET = /secret|zelda|zoe/i;

export interface Stage extends AsyncDisposable {
  host: TestHost;
  cast: Cast;
  andy: string;
  /** Of the chat `family`. */
  sessionId: string;
  /** Its outbound.db and inbound.db, from outside. */
  paths: { outboundDb: string; inboundDb: string };
  /** What somebody says there stays open until `finish`. */
  opens(user: string): Promise<Sent>;
  finish(): Promise<void>;
  /** As the `ncl` of that sandbox would, again while it is told to wait. */
  ask(...argv: string[]): Promise<Answer>;
  /** Of the central database, beside the host. */
  rows(sql: string, ...values: string[]): Record<string, unknown>[];
  change(sql: string, ...values: (string | null)[]): void;
  /** Everything that an agent could have changed. */
  state(): Record<string, unknown>;
  /** The commands whose refusal is in the audit log. */
  refused(): string[];
}

export async function startStage(): Promise<Stage> {
  const host = await startHost();
  const file = join(host.home, 'data/v2.db');
  const rows: Stage['rows'] = (sql, ...values) => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
    try {
      return db.prepare(sql).all(...values);
    } finally {
      db.close();
    }
  };
  const change: Stage['change'] = (sql, ...values) => {
    const db = openCentral({ file, backups: join(host.home, 'data/backups'), now: Date.now() });
    db.exec('PRAGMA busy_timeout = 10000');
    transaction(db, () => db.prepare(sql).run(...values));
    db.close();
  };
  const andy = String(rows('SELECT id FROM agent_groups')[0]?.id);
  addChats(host.home, [{ chat: 'family', engageMode: 'pattern' }]);
  addMembers(host.home, ['terminal:ann']);
  addOther(change);
  change("UPDATE container_configs SET cli_scope = 'group' WHERE agent_group_id = ?", andy);

  const cast = await openCast(host);
  await cast.user('ann').asks('ping', { in: 'family' });
  const found = rows(
    "SELECT id FROM sessions WHERE messaging_group_id = 'mg-terminal-family' AND agent_group_id = ?",
    andy,
  );
  const sessionId = String(found[0]?.id);
  const session = join(host.home, 'data/v2-sessions', andy, sessionId);
  const paths = { outboundDb: join(session, 'box/outbound.db'), inboundDb: join(session, 'inbound/inbound.db') };

  const waiting: Sent[] = [];
  return {
    host,
    cast,
    andy,
    sessionId,
    paths,
    async opens(user) {
      const sent = await cast.user(user).says(WAIT, { in: 'family' });
      waiting.push(sent);
      return sent;
    },
    async finish() {
      await cast.owner.asks('run touch go');
      await Promise.all(waiting.splice(0).map((sent) => sent.settled()));
      await cast.owner.asks('run rm go');
    },
    async ask(...argv) {
      let answer: Answer | undefined;
      const take = async ({ exit, out, err }: Answer) => {
        answer = { exit, out, err };
      };
      await until(async () => {
        await askHost(paths, argv, take);
        return answer && !/Too much is asked at once/.test(answer.err + answer.out);
      });
      return answer ?? { exit: -1, out: '', err: '' };
    },
    rows,
    change,
    state: () => Object.fromEntries(TABLES.map((table) => [table, rows(`SELECT * FROM ${table} ORDER BY 1, 2`)])),
    refused: () =>
      rows("SELECT detail FROM audit_log WHERE action = 'ncl.refused' ORDER BY seq").map((row) => {
        const detail: unknown = JSON.parse(String(row.detail));
        return typeof detail === 'object' && detail !== null && 'command' in detail ? String(detail.command) : '';
      }),
    async [Symbol.asyncDispose]() {
      cast.close();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** In Andy's folder, which all of its chats share. */
const WAIT = 'run with 600 seconds: until [ -e go ]; do sleep 0.05; done';

const TABLES = [
  'agent_groups',
  'container_configs',
  'messaging_groups',
  'messaging_group_agents',
  'agent_destinations',
  'agent_group_members',
  'denied_senders',
  'users',
  'user_roles',
  'user_dms',
  'approvals',
  'owner_codes',
];

function addOther(change: Stage['change']): void {
  const at = '2026-01-01T00:00:00.000Z';
  const later = '2099-01-01T00:00:00.000Z';
  const id = (ref: keyof typeof REFS) => REFS[ref][0];
  change(
    'INSERT INTO agent_groups VALUES (?, ?, ?, (SELECT max(uid_ordinal) + 1 FROM agent_groups), ?)',
    ...[id('group'), id('groupName'), id('groupFolder'), at],
  );
  change(
    `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
     VALUES (?, 'demo', ?, 'Europe/Berlin', ?)`,
    ...[id('group'), id('groupName'), at],
  );
  change(
    "INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, created_at) VALUES (?, 'terminal', ?, ?, 1, ?)",
    ...[id('chat'), id('chatPlace').slice('terminal/'.length), id('chatName'), at],
  );
  const wire = `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at)
    VALUES (?, ?, ?, 'mention', ?)`;
  change(wire, id('wiring'), id('chat'), id('group'), at);
  // One chat they have in common: what the other one has there is as foreign as the rest.
  change(wire, 'mga-zzsecret-too', 'mg-terminal-family', id('group'), at);
  change(
    "INSERT INTO agent_destinations VALUES (?, ?, 'channel', ?, ?)",
    id('group'),
    id('destination'),
    id('chat'),
    at,
  );
  change("INSERT INTO users VALUES (?, 'terminal', ?, ?)", id('user'), id('userName'), at);
  change("INSERT INTO user_roles VALUES (?, 'admin', ?, NULL, ?)", id('user'), id('group'), at);
  change('INSERT INTO agent_group_members VALUES (?, ?, NULL, ?)', id('user'), id('group'), at);
  change(
    'INSERT INTO sessions (id, agent_group_id, messaging_group_id, last_active, created_at) VALUES (?, ?, ?, ?, ?)',
    ...[id('session'), id('group'), id('chat'), at, at],
  );
  change(
    'INSERT INTO sessions (id, agent_group_id, messaging_group_id, last_active, created_at) VALUES (?, ?, ?, ?, ?)',
    ...['sess-zzsecret-too', id('group'), 'mg-terminal-family', at, at],
  );
  change(
    `INSERT INTO approvals (id, kind, status, subject, agent_group_id, session_id, title, body, options, created_at, expires_at)
     VALUES (?, 'ncl', 'pending', 'secret', ?, ?, 'A secret', 'A secret', '[]', ?, ?)`,
    ...[id('approval'), id('group'), id('session'), at, later],
  );
}

/** Rows of the sandbox's own making, beside its runner. */
export async function plant(paths: Stage['paths'], work: (db: DatabaseSync) => void): Promise<void> {
  const db = new DatabaseSync(paths.outboundDb, { timeout: 20_000 });
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF');
    upgradeOutbound(db);
    db.exec('BEGIN IMMEDIATE');
    work(db);
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}
