import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createStage } from './test-stage.ts';

const GROUP = { channelType: 'telegram', platformId: '-100', threadId: null, isGroup: true } as const;

function chats({ db }: ReturnType<typeof createStage>) {
  return db
    .prepare("SELECT name, is_group, left_at IS NOT NULL AS gone FROM messaging_groups WHERE channel_type = 'telegram'")
    .all()
    .map(({ name, is_group, gone }) => [name, is_group, gone]);
}

describe('a chat', () => {
  test('that the bot came into is known by its name, and by another one later; nothing is wired or asked', async () => {
    using stage = createStage();
    await stage.afterwards.membership({ ...GROUP, joined: true, chatName: 'Family' });
    await stage.afterwards.membership({ ...GROUP, joined: true, chatName: 'Family' });
    assert.deepEqual(chats(stage), [['Family', 1, 0]]);
    await stage.afterwards.membership({ ...GROUP, joined: true, chatName: 'The family' });
    await stage.afterwards.membership({ ...GROUP, joined: true });
    assert.deepEqual(chats(stage), [['The family', 1, 0]]);
    assert.equal(stage.db.prepare('SELECT count(*) AS n FROM approvals').get()?.n, 0);
    assert.equal(stage.db.prepare('SELECT count(*) AS n FROM messaging_group_agents').get()?.n, 1, "the owner's own");
  });

  test('is heard of without harm where the database can not be asked', () => {
    using stage = createStage();
    stage.db.exec('ALTER TABLE messaging_groups RENAME TO elsewhere');
    assert.doesNotThrow(() => stage.afterwards.heard(GROUP));
  });

  test('has a name that can be shown, or none', async () => {
    using stage = createStage();
    const long = `<b>\u202eA\u0000\n${'x'.repeat(500)}`;
    await stage.afterwards.membership({ ...GROUP, joined: true, chatName: long });
    const [[name] = []] = chats(stage);
    assert.match(String(name), /^<b>A\uFFFD x+…$/);
    assert.equal([...String(name)].length, 64);
    await stage.afterwards.membership({ ...GROUP, joined: true, chatName: '\u200b \u202e' });
    assert.deepEqual(chats(stage), [[name, 1, 0]], 'the old one stays');
  });

  test('that was left takes nothing until the bot is back, or somebody is heard there', async () => {
    using stage = createStage();
    const { afterwards } = stage;
    const isGone = () => afterwards.isGone('telegram', '-100');
    await afterwards.membership({ ...GROUP, joined: false, chatName: 'Never heard of' });
    assert.deepEqual([chats(stage), isGone()], [[], false]);
    await afterwards.membership({ ...GROUP, joined: true, chatName: 'Family' });
    await afterwards.membership({ ...GROUP, joined: false });
    assert.deepEqual([chats(stage), isGone()], [[['Family', 1, 1]], true]);
    await afterwards.membership({ ...GROUP, joined: true });
    assert.equal(isGone(), false);
    await afterwards.membership({ ...GROUP, joined: false });
    afterwards.heard({ channelType: 'telegram', platformId: '-100' });
    await stage.say('m1', 'whatever comes next is committed behind it');
    assert.equal(isGone(), false);
  });

  test('with somebody alone is not kept for having been opened, and groups without end are not, either', async () => {
    using stage = createStage();
    await stage.afterwards.membership({ ...GROUP, isGroup: false, joined: true, chatName: 'Eve' });
    assert.deepEqual(chats(stage), []);
    const all = Array.from({ length: 1_010 }, (_, n) => ({ ...GROUP, platformId: `-${n}`, joined: true }));
    await Promise.all(all.map((one) => stage.afterwards.membership(one)));
    assert.equal(chats(stage).length, 1_000);
  });
});
