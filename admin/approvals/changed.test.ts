import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { transaction } from '../../src/db/group-commit.ts';
import { createWorld, eventOf, furnish, type World } from '../../test/support/approvals.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';

/** What people do to their messages while somebody decides about them; and of whom nobody knows who they are. */

function change(
  { db }: Install,
  world: World,
  platformMessageId: string,
  text: string | null,
  senderId = 'rich:kim',
): void {
  const place = { channelType: 'rich', platformId: 'room', threadId: null };
  const given = { ...place, platformMessageId, senderId, text };
  transaction(db, () => world.approvals.changeHeld(given, Date.now()))();
}

describe('a message that waits for a decision', () => {
  test('is taken as it was changed, by its author alone; one that was deleted is not taken', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const localPath = join(install.root, 'note.txt');
    writeFileSync(localPath, 'note');
    await world.accept(eventOf({ platformMessageId: 'a', text: 'one' }));
    const attachments = [{ type: 'file', name: 'note.txt', localPath }];
    await world.accept(eventOf({ platformMessageId: 'b', text: 'two', attachments }));
    await world.accept(eventOf({ platformMessageId: 'c', text: 'three' }));
    change(install, world, 'a', 'changed');
    change(install, world, 'a', 'not by its author', 'rich:eve');
    change(install, world, 'c', null);
    change(install, world, 'c', 'too late');
    await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
    await until(() => world.stored().length === 2);
    assert.deepEqual(world.stored(), ['changed', 'two']);
    assert.deepEqual(world.drops(), { withdrawn: 1 });
  });

  test('leaves no file behind when it was the last one', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const localPath = join(install.root, 'note.txt');
    writeFileSync(localPath, 'note');
    const attachments = [{ type: 'file', name: 'note.txt', localPath }];
    await world.accept(eventOf({ platformMessageId: 'a', attachments }));
    const kept = () =>
      existsSync(join(install.root, 'data/held')) ? readdirSync(join(install.root, 'data/held')) : [];
    assert.equal(kept().length, 1);
    change(install, world, 'a', null);
    assert.deepEqual(kept(), []);
    await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
    assert.deepEqual(world.stored(), []);
  });
});

describe('the card for a stranger', () => {
  for (const [senderId, isWarned] of [
    ['rich-unverified:kim@example.org', true],
    ['rich:kim-unverified:x', false],
    ['rich:kim', false],
  ] as const) {
    for (const platformId of ['room', 'elsewhere']) {
      test(`${isWarned ? 'warns of' : 'lets be'} ${senderId}, in ${platformId}`, async () => {
        using install = createInstall();
        furnish(install);
        await using world = await createWorld(install);
        await world.accept(eventOf({ senderId, platformId }));
        const { body = '' } = (await world.card('dm-ann')).card ?? {};
        assert.equal(/⚠️ Nobody vouches for this sender/.test(body), isWarned, body);
      });
    }
  }
});
