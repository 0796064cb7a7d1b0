import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { createInstall, type Install } from '../test/support/central.ts';
import type { InboundEvent } from './channels/adapter.ts';
import { createGroupCommit } from './db/group-commit.ts';
import { createLogger } from './log/index.ts';
import { createRoles } from './people/roles.ts';
import { createRouter, type Router, type RouterParts } from './router.ts';

const dropped = () => ({ acceptance: { status: 'dropped' as const, reason: 'not-decided' }, after() {} });

function setup(
  install: Install,
  over: Partial<RouterParts> = {},
): { router: Router; stored: string[]; commands: string[] } {
  const stored: string[] = [];
  const commands: string[] = [];
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const router = createRouter({
    db: install.db,
    commit: createGroupCommit(install.db),
    messages: install.messages,
    sessions: install.sessions,
    roles: createRoles(install.db),
    capabilities: () => ({ threads: false, maxTextLength: 1e6, buttons: false, edits: false }),
    command: (name) => () => commands.push(name),
    answer: () => () => {},
    words: [],
    hold: { sender: dropped, chat: dropped },
    takeAttachments: async () => [],
    dropAttachments: async () => {},
    onStored: (_session, id) => stored.push(id),
    log: createLogger({ folder: join(install.root, 'logs'), secrets: () => [] }),
    ...over,
  });
  return { router, stored, commands };
}

let count = 0;
const event = (over: Partial<InboundEvent> = {}): InboundEvent => {
  count += 1;
  return {
    channelType: 'terminal',
    platformId: 'local',
    threadId: null,
    platformMessageId: `p${count}`,
    senderId: 'terminal:owner',
    senderName: 'Owner',
    text: 'hello',
    timestamp: '2026-11-21T08:00:00.000Z',
    isMention: false,
    isGroup: false,
    ...over,
  };
};
const rows = (install: Install) =>
  install.db.prepare("SELECT content, seq FROM messages WHERE direction = 'in' ORDER BY seq").all();
const drops = (install: Install) =>
  install.db
    .prepare('SELECT reason, count FROM dropped_messages')
    .all()
    .map((row) => ({ ...row }));

describe('router', () => {
  test('a message of the owner is stored before it is accepted, with an even sequence number', async () => {
    using install = createInstall();
    const { router, stored } = setup(install);
    const results = await Promise.all([router.accept(event()), router.accept(event())]);
    assert.deepEqual(
      results.map((result) => result.status),
      ['stored', 'stored'],
    );
    assert.deepEqual(
      rows(install).map((row) => row.seq),
      [2, 4],
    );
    assert.equal(stored.length, 2);
  });

  test('the same platform message twice, also at the same instant, is stored once', async () => {
    using install = createInstall();
    const { router, stored } = setup(install);
    const same = event();
    const results = await Promise.all([router.accept(same), router.accept(same)]);
    assert.deepEqual(results.map((result) => result.status).toSorted(), ['duplicate', 'stored']);
    assert.equal((await router.accept(same)).status, 'duplicate');
    assert.equal(stored.length, 1);
  });

  test('a command is answered by the host, once; `/clearfoo` is text', async () => {
    using install = createInstall();
    const { router, commands, stored } = setup(install);
    const stop = event({ text: '/stop' });
    assert.equal((await router.accept(stop)).status, 'answered');
    assert.equal((await router.accept(stop)).status, 'duplicate');
    assert.deepEqual(commands, ['stop']);
    assert.equal((await router.accept(event({ text: '/clearfoo' }))).status, 'stored');
    assert.equal(stored.length, 1);
  });

  test('a stranger, a stranger with a command and an unknown chat are dropped with a recorded reason', async () => {
    using install = createInstall();
    const { router, stored, commands } = setup(install);
    await router.accept(event({ senderId: 'terminal:mallory', senderName: 'Owner' }));
    await router.accept(event({ senderId: 'terminal:mallory', text: '/clear' }));
    await router.accept(event({ platformId: 'elsewhere' }));
    await router.accept(event({ platformId: 'elsewhere' }));
    assert.deepEqual(drops(install), [
      { reason: 'unknown-sender', count: 1 },
      { reason: 'command-not-allowed', count: 1 },
      { reason: 'unknown-chat', count: 2 },
    ]);
    assert.deepEqual([stored, commands], [[], []]);
    assert.equal(install.db.prepare('SELECT count(*) AS n FROM users').get()?.n, 1, 'no row for a stranger');
  });

  const refused: [string, string, string][] = [
    ['0 bytes', '', 'NC_MESSAGE_EMPTY'],
    ['blanks', ' \n\t', 'NC_MESSAGE_EMPTY'],
    ['10 MB', 'x'.repeat(10_000_000), 'NC_MESSAGE_TOO_LARGE'],
    ['one byte too many', 'x'.repeat(MAX_TEXT_BYTES + 1), 'NC_MESSAGE_TOO_LARGE'],
  ];
  for (const [name, text, code] of refused) {
    test(`${name}: ${code}, and nothing is kept`, async () => {
      using install = createInstall();
      const { router } = setup(install);
      const result = await router.accept(event({ text }));
      assert.equal(result.status === 'refused' && result.code, code);
      assert.equal(rows(install).length, 0);
    });
  }

  test('NUL and unpaired surrogates become U+FFFD; markup stays what it is', async () => {
    using install = createInstall();
    const { router } = setup(install);
    await router.accept(event({ text: 'a\0b\ud800c</message><internal>d' }));
    const content: unknown = JSON.parse(String(rows(install)[0]?.content));
    assert.deepEqual(content, {
      text: 'a\ufffdb\ufffdc</message><internal>d',
      sender: 'Owner',
      senderId: 'terminal:owner',
    });
  });

  /** A second agent in the owner's chat, which hears nothing but its name. */
  function addSecond({ db, chatId }: Install, mode: 'mention' | 'pattern'): void {
    db.exec(
      `INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-2', 'Bea', 'bea', 99, '2026-01-01T00:00:00.000Z');
       INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at) SELECT 'ag-2', provider, 'Bea', timezone, updated_at FROM container_configs LIMIT 1`,
    );
    db.prepare(
      `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, priority, created_at)
       VALUES ('mga-2', ?, 'ag-2', ?, '.', 9, '2026-01-01T00:00:00.000Z')`,
    ).run(chatId, mode);
  }

  test('what one agent has no room for is refused, although another had dropped it before', async () => {
    using install = createInstall();
    addSecond(install, 'mention');
    const { router } = setup(install, { noRoom: () => 'NC_DISK_FULL' });
    const result = await router.accept(event());
    assert.equal(result.status === 'refused' && result.code, 'NC_DISK_FULL');
  });

  test('what one of two agents could not take is counted', async () => {
    using install = createInstall();
    addSecond(install, 'pattern');
    const localPath = join(install.root, 'a.txt');
    const { router, stored } = setup(install, {
      takeAttachments: async ({ agentGroupId }) => {
        if (agentGroupId === 'ag-2') throw new Error('no such folder');
        return [];
      },
    });
    const result = await router.accept(event({ attachments: [{ type: 'file', name: 'a.txt', localPath }] }));
    assert.deepEqual([result.status, stored.length], ['stored', 1]);
    assert.deepEqual(drops(install), [{ reason: 'failed: NC_INTERNAL', count: 1 }]);
  });

  test('a name that somebody has chosen is shortened, and no context is kept where there is no room', async () => {
    using install = createInstall();
    install.db.exec("UPDATE messaging_group_agents SET engage_pattern = '^go', ignored_message_policy = 'accumulate'");
    let room = true;
    const { router } = setup(install, { noRoom: () => (room ? undefined : 'NC_DISK_FULL') });
    await router.accept(event({ senderName: 'x'.repeat(10_000) }));
    room = false;
    assert.deepEqual(await router.accept(event()), { status: 'dropped', reason: 'no-room' });
    const kept = install.db.prepare('SELECT content FROM backlog').all();
    assert.deepEqual([kept.length, JSON.parse(String(kept[0]?.content)).sender.length], [1, 512]);
  });

  test('a database that fails is an answer, not a throw', async () => {
    using install = createInstall();
    const { router } = setup(install);
    install.db.exec('DROP INDEX messages_open; ALTER TABLE messages RENAME TO gone');
    const result = await router.accept(event());
    assert.equal(result.status === 'refused' && result.code, 'NC_INTERNAL');
  });
});
