import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../../src/db/group-commit.ts';
import { createRoles } from '../../src/people/roles.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import { createInstall } from '../../test/support/central.ts';
import { stage, T } from './testing/stage.ts';

/** What `/budget` understands. */

test('no limit and the default are words, too; of a unit that is none it is told which there are', () => {
  using install = createInstall();
  using on = stage(install);
  const [wiring] = createWirings(install.db, createRoles(install.db)).of(install.chatId);
  assert.ok(wiring);
  const asks = (text: string) => {
    const context = { event: { text, senderId: 'terminal:owner' }, now: T };
    const said = transaction(install.db, () => on.usage.commands.budget(wiring, context));
    on.usage.look(T);
    return said;
  };
  assert.match(asks('/budget month 5 tokens'), /is 5 tokens now/);
  assert.equal(on.usage.isHeld(on.session.id), false);
  on.spend(1);
  assert.equal(on.usage.isHeld(on.session.id), true);
  assert.match(asks('/budget month none'), /this month has no limit any more/);
  assert.equal(on.usage.isHeld(on.session.id), false);
  asks('/budget none');
  assert.match(
    asks('/budget default'),
    /^Back to the default\.\nMy budget for this month has no limit\.\nMy budget for today: \$10\b/,
  );
  for (const bad of ['/budget 5 euros', '/budget 5€', '/budget 5 constructor']) {
    assert.match(asks(bad), /in dollars or in tokens, not in “(euros|€|constructor)”/);
  }
  assert.match(asks('/budget 5 dollars'), /My budget for today is \$5 now/);
});
