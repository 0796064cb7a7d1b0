import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { NanoError } from '../src/errors.ts';
import { ensureAgentFolder } from '../src/groups/agent-folder.ts';
import { createInstall } from '../test/support/central.ts';
import { initFirstAgent } from './first-agent.ts';
import { isTimezone } from './timezone.ts';

describe('the first agent', () => {
  test('made once; options given again change it, and nothing else is made', () => {
    using install = createInstall();
    const again = initFirstAgent(install.root, { name: 'Bob', timezone: 'Asia/Tokyo' });
    assert.deepEqual([again.created, again.changed.toSorted()], [false, ['assistantName', 'timezone']]);
    assert.deepEqual([again.agent.assistantName, again.agent.provider], ['Bob', 'demo']);
    assert.deepEqual(initFirstAgent(install.root, {}).changed, []);
    for (const table of ['agent_groups', 'messaging_groups', 'messaging_group_agents', 'user_roles']) {
      assert.equal(install.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n, 1, table);
    }
  });

  test('options that make no sense are refused with a sentence', () => {
    const bad = [
      { name: '' },
      { name: 'x'.repeat(65) },
      { name: 'a\nb' },
      { provider: '../x' },
      { timezone: 'Mars/Base' },
    ];
    for (const options of bad) {
      assert.throws(
        () => initFirstAgent('/nonexistent', options),
        (error) => error instanceof NanoError && error.code === 'NC_USAGE' && error.message.length > 40,
        JSON.stringify(options),
      );
    }
  });

  test('a name in any script has a folder', () => {
    using install = createInstall();
    install.db.exec('PRAGMA foreign_keys = OFF');
    for (const table of [
      'agent_destinations',
      'messaging_group_agents',
      'messaging_groups',
      'container_configs',
      'agent_groups',
      'user_roles',
      'users',
    ]) {
      install.db.exec(`DELETE FROM ${table}`);
    }
    assert.equal(initFirstAgent(install.root, { name: '小猫' }).agent.folder, 'agent');
  });

  const zones: [string, boolean][] = [
    ['Europe/Berlin', true],
    ['UTC', true],
    ['America/Argentina/Buenos_Aires', true],
    ['EST5EDT', false],
    ['+02:00', false],
    ['Nowhere/City', false],
    ['', false],
  ];
  for (const [name, ok] of zones) test(`time zone ${JSON.stringify(name)}`, () => assert.equal(isTimezone(name), ok));
});

describe("the agent's folder", () => {
  test('a link in place of the memory is left alone, and nothing is written where it leads', () => {
    const root = mkdtempSync(join(tmpdir(), 'nanoclaw-init-'));
    const folder = join(root, 'groups', 'andy');
    const target = join(root, 'elsewhere');
    ensureAgentFolder(folder, 'Andy');
    unlinkSync(join(folder, 'CLAUDE.local.md'));
    symlinkSync(target, join(folder, 'CLAUDE.local.md'));
    ensureAgentFolder(folder, 'Andy');
    assert.equal(existsSync(target), false);
    rmSync(root, { recursive: true });
  });
});
