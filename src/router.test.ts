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
import { createRouter, type Router } from './router.ts';

const dropped = () => ({ acceptance: { status: 'dropped' as const, reason: 'not-decided' }, after() {} });

function setup(install: Install): { router: Router; stored: string[]; commands: string[] } {
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

  test('a database that fails is an answer, not a throw', async () => {
    using install = createInstall();
    const { router } = setup(install);
    install.db.exec('DROP INDEX messages_open; ALTER TABLE messages RENAME TO gone');
    const result = await router.accept(event());
    assert.equal(result.status === 'refused' && result.code, 'NC_INTERNAL');
  });
});
