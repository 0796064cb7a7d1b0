import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAudit } from '../../src/audit/index.ts';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createRoles } from '../../src/people/roles.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import { createInstall } from '../../test/support/central.ts';
import { createDirectoryWithoutHost } from '../directory/without-host.ts';
import { createRename } from './rename.ts';

test('the agent that is named gets the name, also when its own begins with the one of another', () => {
  using install = createInstall();
  const { db, chatId } = install;
  db.exec(
    `UPDATE container_configs SET assistant_name = 'Anna'; UPDATE messaging_group_agents SET priority = 5;
     INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-2', 'Anna Maria', 'am', 99, '2026-01-01T00:00:00.000Z');
     INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
       SELECT 'ag-2', provider, 'Anna Maria', timezone, updated_at FROM container_configs LIMIT 1`,
  );
  db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, created_at)
     VALUES ('mga-2', ?, 'ag-2', 'mention', '2026-01-01T00:00:00.000Z')`,
  ).run(chatId);
  const roles = createRoles(db);
  const directory = createDirectoryWithoutHost(db, createAudit(db), join(install.root, 'groups'));
  const rename = createRename({ db, roles, table: createWirings(db, roles), directory });
  const event: InboundEvent = {
    channelType: 'terminal',
    platformId: 'local',
    threadId: null,
    platformMessageId: 'p1',
    senderId: 'terminal:owner',
    senderName: 'Owner',
    text: '@Anna Maria call yourself Mia',
    timestamp: '2026-11-21T08:00:00.000Z',
    isMention: true,
    isGroup: false,
  };
  const answered = transaction(db, () => rename.answer(event, Date.now()));
  assert.deepEqual(answered && 'text' in answered && answered.text, 'From now on I am Mia.');
  const names = db.prepare('SELECT assistant_name AS name FROM container_configs ORDER BY name').all();
  assert.deepEqual(
    names.map(({ name }) => name),
    ['Anna', 'Mia'],
  );
});
