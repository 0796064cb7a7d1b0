import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  createFarEnd,
  createWorld,
  eventOf,
  furnish,
  type World,
  type WorldOptions,
} from '../../test/support/approvals.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';

/** What waited is taken in its order, each once, wherever a host stops on the way. */

const TEXTS = Array.from({ length: 8 }, (_, index) => `message ${index}`);

async function holdAll(install: Install, world: World): Promise<void> {
  for (const text of TEXTS) {
    const localPath = join(install.root, text);
    writeFileSync(localPath, text);
    await world.accept(eventOf({ text, attachments: [{ type: 'file', name: 'note.txt', localPath }] }));
  }
  await world.card('dm-ann');
}

const crashes: { name: string; at: number; stored: boolean }[] = [
  { name: 'before the first is taken', at: 0, stored: false },
  { name: 'in the middle, before it is stored', at: 3, stored: false },
  { name: 'in the middle, after it is stored and before that is noted', at: 3, stored: true },
  { name: 'after the last is stored and before that is noted', at: 7, stored: true },
];

describe('a host that stops while it hands on what waited', () => {
  for (const { name, at, stored } of crashes) {
    test(name, async () => {
      using install = createInstall();
      furnish(install);
      const far = createFarEnd();
      let taken = 0;
      let stopped = false;
      const stop: WorldOptions['replay'] = async (event, accept) => {
        taken += 1;
        if (taken - 1 < at) return accept(event);
        if (stored && taken - 1 === at) {
          await accept(event);
          // Its file is handed on, and its own name for it is gone: after a crash it is, or it is not, but not soon.
          await until(() => !event.attachments?.some(({ localPath }) => existsSync(localPath)));
        }
        stopped = true;
        throw new Error('The host stops here.');
      };
      {
        await using before = await createWorld(install, { far, replay: stop });
        await holdAll(install, before);
        await before.press(await before.card('dm-ann'), 'Allow', 'rich:ann');
        await until(() => stopped);
        assert.equal(before.stored().length, stored ? at + 1 : at);
      }
      await using world = await createWorld(install, { far });
      assert.deepEqual(world.stored(), TEXTS);
      assert.deepEqual([world.query('SELECT id FROM held_events'), world.drops()], [[], {}]);
      assert.ok(!existsSync(join(install.root, 'data/held', world.approval().id)));
    });
  }

  test('before the decision: it waits for it still', async () => {
    using install = createInstall();
    furnish(install);
    const far = createFarEnd();
    {
      await using before = await createWorld(install, { far });
      await holdAll(install, before);
    }
    await using world = await createWorld(install, { far });
    assert.deepEqual(world.stored(), []);
    await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
    await until(() => world.stored().length === TEXTS.length);
    assert.deepEqual(world.stored(), TEXTS);
  });
});

test('what can not be taken for now is tried again, and nothing overtakes it', async () => {
  using install = createInstall();
  furnish(install);
  let isFull = true;
  await using world = await createWorld(install, {
    async replay(event, accept) {
      if (!isFull || event.text !== TEXTS[2]) return accept(event);
      for (const { localPath } of event.attachments ?? []) rmSync(localPath);
      return { status: 'refused', code: 'NC_DISK_FULL', sentence: '' };
    },
  });
  await holdAll(install, world);
  await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
  await until(() => world.stored().length === 2);
  isFull = false;
  await until(() => {
    world.approvals.sweep(Date.now());
    return world.stored().length === TEXTS.length;
  });
  assert.deepEqual(world.stored(), TEXTS);
  const bare =
    "SELECT 1 FROM messages WHERE direction = 'in' AND content ->> '$.attachments[0].name' IS NOT 'note.txt'";
  assert.deepEqual(world.query(bare), [], 'each with its file');
});

test('what can never be taken is counted, and holds up nothing', async () => {
  using install = createInstall();
  furnish(install);
  await using world = await createWorld(install, {
    replay: async (event, accept) =>
      event.text === TEXTS[2] ? { status: 'refused', code: 'NC_INTERNAL', sentence: '' } : accept(event),
  });
  await holdAll(install, world);
  await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
  await until(() => world.stored().length === TEXTS.length - 1);
  await until(() => world.drops()['replay: NC_INTERNAL'] === 1);
});
