import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstall } from '../../test/support/central.ts';
import { readStored } from './stored.ts';

test('a message that waits for the budget says so, and how that is raised', () => {
  using install = createInstall();
  const at = new Date().toISOString();
  const place = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
  const sessionId = install.newSession().id;
  for (const id of ['waits', 'ended']) {
    const content = { text: 'hello' };
    install.messages.addInbound(
      { ...place, id, sessionId, kind: 'chat', timestamp: at, trigger: true, content },
      Date.now(),
    );
  }
  install.messages.settle(sessionId, 'ended', 'completed', 'reply', Date.now());
  const waits = (id: string) => readStored(join(install.root, 'data/v2.db'), id).about.waits;
  assert.equal(waits('waits'), undefined);
  install.db.prepare("INSERT INTO budgets VALUES (?, 'day', 'usd', 0, 'x', '')").run(install.agentId);
  assert.match(
    String(waits('waits')),
    /may spend nothing today: what is asked waits\. `ncl budgets set 10 --agent Andy`/,
  );
  assert.equal(waits('ended'), undefined);
});
