import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { addMembers, type Cast, openCast } from '../support/cast.ts';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { tablesBelow } from '../support/markdown-table.ts';

/** The day in docs/routing.md, line by line, on a real host with its sandboxes. */

const page = readFileSync(join(CODE, 'docs/routing.md'), 'utf8');
const [wirings = [], lines = []] = tablesBelow(page, 'A day with two agents');
const AGENTS = ['Andy', 'Bea'] as const;

let host: TestHost;
let cast: Cast;
let db: DatabaseSync;

before(async () => {
  const first = await startHost();
  const { home } = first;
  await first.end();
  db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  transaction(db, () => {
    db.exec(`INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-bea', 'Bea', 'bea', 2, '2026-11-21T08:00:00.000Z');
      INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
        VALUES ('ag-bea', 'demo', 'Bea', 'Europe/Berlin', '2026-11-21T08:00:00.000Z')`);
    for (const [at, row] of wirings.entries()) wire(row, wirings.length - at);
    for (const user of ['terminal:ann', 'terminal-2:ann', 'terminal-2:owner']) member(user);
  });
  addMembers(home, ['terminal:ann', 'terminal-2:ann', 'terminal-2:owner']);
  host = await startHost({ home, environment: { NANOCLAW_TERMINALS: '2' } });
  cast = await openCast(host);
});

after(async () => {
  cast?.close();
  db?.close();
  await host?.end();
});

function wire(row: Record<string, string>, priority: number): void {
  const [channel = '', chat = ''] = (row.chat ?? '').split('/');
  const id = `mg-${channel}-${chat}`;
  const isGroup = chat !== 'local' && !chat.startsWith('dm-') ? 1 : 0;
  db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, is_group, unknown_sender_policy, created_at)
     VALUES (?, ?, ?, ?, ?, ?, '2026-11-21T08:00:00.000Z') ON CONFLICT DO NOTHING`,
  ).run(id, channel, chat, chat, isGroup, row.unknown_sender_policy ?? '');
  const found = db
    .prepare('SELECT id FROM messaging_groups WHERE channel_type = ? AND platform_id = ?')
    .get(channel, chat);
  const agent = db.prepare('SELECT id FROM agent_groups WHERE name = ?').get(row.agent ?? '');
  db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern,
       ignored_message_policy, session_mode, exclusive, priority, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '2026-11-21T08:00:00.000Z')
     ON CONFLICT (messaging_group_id, agent_group_id) DO NOTHING`,
  ).run(
    `mga-${channel}-${chat}-${row.agent}`,
    String(found?.id),
    String(agent?.id),
    row.engage_mode ?? '',
    row.pattern === '' ? null : (row.pattern ?? null),
    row.ignored_message_policy ?? '',
    row.session_mode ?? '',
    row.exclusive === 'yes' ? 1 : 0,
    priority,
  );
}

function member(user: string): void {
  const [kind = '', name = ''] = user.split(':');
  db.prepare('INSERT INTO users (id, kind, display_name, created_at) VALUES (?, ?, ?, ?)').run(user, kind, name, '');
  db.prepare("INSERT INTO agent_group_members (user_id, agent_group_id, added_at) VALUES (?, 'ag-bea', '')").run(user);
}

/** `reason` → how often, over all chats. */
function drops(): Map<string, number> {
  const rows = db.prepare('SELECT reason, sum(count) AS n FROM dropped_messages GROUP BY reason').all();
  return new Map(rows.map((row) => [String(row.reason), Number(row.n)]));
}

/** What the database says became of a message, for each agent; what was dropped can't be told apart by agent. */
function outcomes(platformMessageId: string): Record<string, string> {
  const stored = db
    .prepare(
      `SELECT g.name, m.trigger FROM messages m JOIN sessions s ON s.id = m.session_id JOIN agent_groups g ON g.id = s.agent_group_id
       WHERE m.platform_message_id = ? AND m.direction = 'in' AND m.trigger = 1`,
    )
    .all(platformMessageId);
  const kept = db
    .prepare(
      `SELECT g.name FROM backlog b JOIN messaging_group_agents w ON w.id = b.wiring_id JOIN agent_groups g ON g.id = w.agent_group_id
       WHERE b.platform_message_id = ?`,
    )
    .all(platformMessageId);
  const held = db.prepare('SELECT 1 FROM held_events WHERE platform_message_id = ?').get(platformMessageId);
  return Object.fromEntries([
    ...kept.map((row) => [String(row.name), 'kept']),
    ...stored.map((row) => [String(row.name), 'answered']),
    ...(held ? [['Andy', 'asked']] : []),
  ]);
}

describe('a day with two agents', () => {
  test('has three users, two agents and five chats on two channels, one of them with threads', () => {
    assert.equal(new Set(lines.map((line) => line.who)).size, 3);
    assert.equal(new Set(wirings.map((row) => row.chat)).size, 5);
    assert.equal(new Set(lines.map((line) => line.chat?.split('/')[0])).size, 2);
  });

  for (const [at, line] of lines.entries()) {
    const { who = '', chat: place = '', thread = '', says = '' } = line;
    test(`${at + 1}. ${who} in ${place}${thread && `/${thread}`}: ${says}`, async () => {
      const [channel = '', chat = ''] = place.split('/');
      const before = drops();
      const where = { channel, in: chat, ...(thread && { thread }) };
      const from = cast.said(where).length;
      const sent = await cast.user(who).says(says, where);

      if (AGENTS.some((agent) => line[agent] === 'answered by the host')) {
        assert.equal(sent.status, 'answered', sent.sentence);
        return;
      }
      const found = outcomes(sent.id);
      for (const agent of AGENTS) {
        const expected = (line[agent] ?? '').split(':')[0] ?? '';
        const silent = ['—', 'dropped'].includes(expected);
        assert.equal(found[agent] ?? 'nothing', silent ? 'nothing' : expected, `${agent}, ${sent.sentence ?? ''}`);
      }
      const reasons = AGENTS.flatMap((agent) => {
        const [what, why = ''] = (line[agent] ?? '').split(': ');
        return what === 'dropped' ? [why] : what === 'kept' ? [`${why}, kept`] : [];
      });
      const now = drops();
      const counted = [...now].flatMap(([reason, n]) =>
        Array.from({ length: n - (before.get(reason) ?? 0) }, () => reason),
      );
      assert.deepEqual(counted.toSorted(), reasons.toSorted());
      if (AGENTS.some((agent) => line[agent] === 'answered')) {
        await sent.settled();
        assert.ok(cast.said(where).length > from, 'an answer came to that chat and thread');
      }
    });
  }

  test('what was kept reached the agent as context, in its order, and nothing of a stranger did', () => {
    const rows = db
      .prepare(
        `SELECT m.content FROM messages m JOIN sessions s ON s.id = m.session_id JOIN agent_groups g ON g.id = s.agent_group_id
         WHERE m.trigger = 0 AND m.kind = 'chat' AND g.name = 'Andy' ORDER BY m.created_at, m.seq`,
      )
      .all();
    const texts = rows.map((row) => String(JSON.parse(String(row.content)).text));
    assert.deepEqual(texts, ['the train leaves at nine', 'HELP, it is broken', 'please help', 'nice weather']);
  });

  test('each thread, chat and agent has the session that the table says', () => {
    const rows = db
      .prepare(
        `SELECT g.name, ifnull(m.channel_type || '/' || m.platform_id, '') AS chat, ifnull(s.thread_id, '') AS thread
         FROM sessions s JOIN agent_groups g ON g.id = s.agent_group_id LEFT JOIN messaging_groups m ON m.id = s.messaging_group_id`,
      )
      .all();
    assert.deepEqual(rows.map((row) => `${row.name} ${row.chat} ${row.thread}`.trim()).toSorted(), [
      'Andy terminal-2/club',
      'Andy terminal/desk',
      'Andy terminal/family trip',
      'Andy terminal/local',
      'Bea',
      'Bea terminal/desk',
      'Bea terminal/family trip',
    ]);
  });
});
