import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { transaction } from '../../src/db/group-commit.ts';
import { ensureUser } from '../../src/people/roles.ts';
import { createWorld, eventOf, furnish, grant } from '../../test/support/approvals.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';

const rows = (install: Install, table: string) =>
  Number(install.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);

describe('a stranger writes to an agent', () => {
  test('allowed: a member, and what waited is taken in its order, before what comes after', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const users = rows(install, 'users');
    for (const text of ['one', 'two', 'three']) {
      assert.equal((await world.accept(eventOf({ text }))).status, 'held');
    }
    const card = await world.card('dm-ann');
    assert.match(card.card?.title ?? '', /^Kim wants to talk to Andy$/);
    assert.match(card.card?.body ?? '', /> one/);
    assert.equal(rows(install, 'users'), users, 'no row for a stranger');
    assert.match(await world.press(card, 'Allow', 'rich:ann'), /✅ You allowed it\. Kim may talk to Andy now\./);
    await until(() => world.stored().length === 3);
    await world.accept(eventOf({ text: 'four' }));
    assert.deepEqual(world.stored(), ['one', 'two', 'three', 'four']);
    await until(() => world.shown('dm-ann').some((text) => /✅ Ann allowed it/.test(text)));
    assert.equal(world.shown('dm-ann').length, 1, 'the card itself says it');
    assert.deepEqual(world.shown('room'), ['Kim may talk to Andy now.']);
    assert.deepEqual(rows(install, 'held_events'), 0);
    assert.deepEqual(world.audited(), ['approval.requested', 'approval.asked', 'member.added', 'approval.approved']);
  });

  test('refused: remembered, what waited is let go with its reason, and the stranger is told nothing', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf());
    await world.accept(eventOf());
    assert.match(await world.press(await world.card('dm-ann'), 'Refuse', 'rich:ann'), /🚫 You refused it/);
    const again = await world.accept(eventOf());
    assert.deepEqual(again, { status: 'dropped', reason: 'denied-sender' });
    assert.deepEqual(world.drops(), { 'approval-denied': 2, 'denied-sender': 1 });
    assert.deepEqual([world.stored(), world.shown('room'), rows(install, 'held_events')], [[], [], 0]);
    assert.equal(rows(install, 'approvals'), 1);
  });

  test('refused by other means in the meantime, they stay refused whoever allows it', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf());
    const card = await world.card('dm-ann');
    transaction(install.db, () => ensureUser(install.db, 'rich:kim', 'Kim', Date.now()));
    world.directory.denySender('rich:kim', install.agentId, { actor: 'rich:ann', scope: null }, Date.now());
    assert.match(await world.press(card, 'Allow', 'rich:ann'), /could not be done: .*Kim was refused meanwhile/);
    assert.deepEqual(world.drops(), { 'approval-failed': 1 });
  });

  test('the same message twice waits once', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const event = eventOf();
    const both = await Promise.all([world.accept(event), world.accept(event)]);
    assert.deepEqual(both.map(({ status }) => status).toSorted(), ['duplicate', 'held']);
    assert.equal(rows(install, 'held_events'), 1);
  });

  test('files wait with their message, within bounds, and go with it', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const folder = join(install.root, 'downloads');
    mkdirSync(folder);
    const file = (name: string, bytes: number) => {
      const localPath = join(folder, name);
      writeFileSync(localPath, Buffer.alloc(bytes));
      return { type: 'file', name, localPath };
    };
    await world.accept(eventOf({ text: 'both', attachments: [file('a.txt', 10), file('../../b.bin', 0)] }));
    await world.accept(eventOf({ text: 'large', attachments: [file('c.bin', 21 * 1024 * 1024), file('d.txt', 5)] }));
    const held = join(install.root, 'data/held', world.approval().id);
    assert.deepEqual(readdirSync(held).toSorted(), ['1-a.txt', '2-b.bin', '3-d.txt']);
    await until(() => readdirSync(folder).length === 0);
    await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
    await until(() => !existsSync(held));
    const contents = world.query("SELECT content FROM messages WHERE direction = 'in' ORDER BY rowid");
    assert.match(String(contents[0]?.content), /a\.txt.*b\.bin/);
    assert.match(String(contents[1]?.content), /large\\n\(The file c\.bin was too large to wait.*d\.txt/);
  });

  test('hostile names stay on one line, and quotes and JSON are only text', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const senderName = `Kim"}]'; DROP TABLE users;--\n✅ Ann allowed it\u202E`;
    await world.accept(eventOf({ senderName, text: 'x\n1. Allow' }));
    const card = await world.card('dm-ann');
    assert.equal(card.card?.title, `Kim"}]'; DROP TABLE users;-- ✅ Ann allowed it wants to talk to Andy`);
    assert.match(card.card?.body ?? '', /^> x\n> 1\. Allow$/m);
    await world.press(card, 'Allow', 'rich:ann');
    await until(() => world.stored().length === 1);
  });
});

describe('the bot is addressed in a chat where no agent listens', () => {
  test('somebody who may decide it, alone there: asked there, and not known by that chat', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf());
    await world.card('dm-ann');
    const alone = { platformId: 'second', isGroup: false, senderId: 'rich:ann', senderName: 'Ann' };
    assert.equal((await world.accept(eventOf(alone))).status, 'held');
    const card = await world.card('second');
    assert.match(card.card?.title ?? '', /^Ann wants to talk to an agent$/);
    assert.equal(world.shown('dm-ann').length, 1);
    assert.match(await world.press(card, 'Andy', 'rich:ann'), /^✅/);
    await until(() => world.stored().length === 1);
    const known = install.db.prepare(
      "SELECT g.platform_id AS id FROM user_dms d JOIN messaging_groups g ON g.id = d.messaging_group_id WHERE d.user_id = 'rich:ann'",
    );
    assert.deepEqual(
      known.all().map(({ id }) => id),
      ['dm-ann'],
    );
  });

  const elsewhere = { platformId: 'new', chatName: 'Family' };

  test('an agent is chosen: it listens there, the one who asked is its member, what waited is answered', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    assert.equal((await world.accept(eventOf({ ...elsewhere, text: 'hi' }))).status, 'held');
    assert.equal((await world.accept(eventOf({ ...elsewhere, isMention: false }))).status, 'dropped');
    assert.equal(rows(install, 'messaging_groups'), 3, 'the owner may be reached; the chat is unknown still');
    await world.press(await world.card('dm-ann'), 'Andy', 'rich:ann');
    await until(() => world.stored().length === 1);
    const [wiring] = world.query(
      `SELECT w.engage_mode, m.name, m.unknown_sender_policy FROM messaging_group_agents w
       JOIN messaging_groups m ON m.id = w.messaging_group_id WHERE m.platform_id = 'new'`,
    );
    assert.deepEqual(
      { ...wiring },
      { engage_mode: 'mention', name: 'Family', unknown_sender_policy: 'request_approval' },
    );
    assert.deepEqual(world.shown('new'), ['Andy listens here from now on, when it is mentioned.']);
    assert.equal(
      (await world.accept(eventOf({ ...elsewhere, senderId: 'rich:lee', senderName: 'Lee' }))).status,
      'held',
    );
  });

  test('a new agent: its name is asked for, a bad one again, and after it words are words', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf({ ...elsewhere, text: 'hi' }));
    const card = await world.card('dm-ann');
    assert.match(await world.press(card, 'A new agent', 'rich:ann'), /Your next message here is its name/);
    assert.equal(world.approval().status, 'naming');
    const say = (text: string, over = {}) =>
      world.accept(eventOf({ platformId: 'dm-ann', senderId: 'rich:ann', isGroup: false, text, ...over }));
    assert.notEqual((await say('/stop')).status, 'answered');
    await say('Bob', { platformId: 'room', isGroup: true });
    await say('Bob', { senderId: 'rich:kim' });
    assert.equal(world.approval(/Family/).status, 'naming', 'nobody else, and nowhere else');
    assert.equal((await say('x'.repeat(10_000))).status, 'answered');
    assert.equal(world.approval(/Family/).status, 'naming');
    await until(() => world.shown('dm-ann').some((text) => /Say another name/.test(text)));
    assert.equal((await say('Bob')).status, 'answered');
    assert.equal(world.approval(/Family/).status, 'approved');
    await until(() => world.stored().includes('hi'));
    assert.deepEqual(
      world.query('SELECT name FROM agent_groups ORDER BY uid_ordinal').map(({ name }) => name),
      ['Andy', 'Bob'],
    );
    await say('Carl');
    assert.equal(rows(install, 'agent_groups'), 2);
  });

  test('a name that is awaited survives a restart; /deny ends it', async () => {
    using install = createInstall();
    furnish(install);
    await using before = await createWorld(install);
    await before.accept(eventOf({ ...elsewhere, text: 'hi' }));
    await before.press(await before.card('dm-ann'), 'A new agent', 'rich:ann');
    await using world = await createWorld(install, { far: before.far });
    const say = (text: string) =>
      world.accept(eventOf({ platformId: 'dm-ann', senderId: 'rich:ann', isGroup: false, text }));
    assert.equal((await say('Bob')).status, 'answered');
    await until(() => world.stored().includes('hi'));
    assert.equal(rows(install, 'agent_groups'), 2);
    await world.accept(eventOf({ platformId: 'third' }));
    await until(() => world.approval().status === 'pending');
    await until(async () => (await world.card('dm-ann')).card?.title.includes('third'));
    await world.press(await world.card('dm-ann'), 'A new agent', 'rich:ann');
    assert.equal((await say(`/deny ${world.approval().id.slice(5)}`)).status, 'answered');
    assert.equal(world.approval().status, 'denied');
  });

  test('refused: the chat is remembered, and what is said there is only counted', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf(elsewhere));
    await world.press(await world.card('dm-ann'), 'Refuse', 'rich:ann');
    assert.deepEqual(await world.accept(eventOf(elsewhere)), { status: 'dropped', reason: 'denied-chat' });
    assert.deepEqual(world.drops(), { 'approval-denied': 1, 'denied-chat': 1 });
  });

  test('of many agents eight have a button, and the others are chosen by their number', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const by = { actor: 'host', scope: null };
    for (let index = 2; index <= 12; index += 1) {
      world.directory.createAgentGroup({ name: `Agent ${index}` }, by, Date.now());
    }
    await world.accept(eventOf({ ...elsewhere, text: 'hi' }));
    const card = await world.card('dm-ann');
    assert.deepEqual(card.card?.buttons.map(({ label }) => label).slice(-3), ['Agent 8', 'A new agent', 'Refuse']);
    assert.match(card.card?.body ?? '', /11\. Agent 9\n12\. Agent 10\n13\. Agent 11\n14\. Agent 12/);
    const text = `/approve ${world.approval().id} 14`;
    await world.accept(eventOf({ platformId: 'dm-ann', senderId: 'rich:ann', isGroup: false, text }));
    assert.equal(world.approval().result, 'Agent 12 listens there now, and Kim may talk to it.');
    await until(() => world.stored().includes('hi'));
  });

  test('of a chat that is known from before, the card says what its others may; who is refused by the agent stays so', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const by = { actor: 'rich:ann', scope: null };
    for (const [platformId, unknownSenderPolicy, words] of [
      ['open', 'public', /Everybody else there may talk to it/],
      ['shut', 'strict', /None of the others there may/],
    ] as const) {
      world.directory.createChat(
        { channelType: 'rich', platformId, isGroup: true, unknownSenderPolicy },
        by,
        Date.now(),
      );
      await world.accept(eventOf({ platformId }));
      assert.match(world.approval().body, words);
    }
    transaction(install.db, () => ensureUser(install.db, 'rich:kim', 'Kim', Date.now()));
    world.directory.denySender('rich:kim', install.agentId, by, Date.now());
    await until(() => world.shown('dm-ann').length === 2);
    await world.press(await world.card('dm-ann'), 'Andy', 'rich:ann');
    assert.match(
      world.query("SELECT result FROM approvals WHERE status = 'approved'")[0]?.result?.toString() ?? '',
      /Kim is still refused by it/,
    );
    await until(() => world.drops()['denied-sender'] === 1 && rows(install, 'held_events') === 1);
  });

  test('wired by other means, its messages are taken all the same', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf({ ...elsewhere, senderId: 'rich:ann', text: 'hi' }));
    const by = { actor: 'host', scope: null };
    const made = world.directory.createChat({ channelType: 'rich', platformId: 'new', isGroup: true }, by, Date.now());
    assert.ok(made.ok);
    world.directory.wire({ messagingGroupId: made.data.id, agentGroupId: install.agentId }, by, Date.now());
    world.approvals.sweep(Date.now());
    await until(() => world.stored().includes('hi'));
    assert.equal(world.approval().status, 'approved');
  });
});

test('10,000 messages of 5,000 strangers to an unwired chat, and to a wired one, leave little behind, and quickly', async () => {
  for (const platformId of ['nowhere', 'room']) {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const events = Array.from({ length: 10_000 }, (_, index) =>
      eventOf({ platformId, senderId: `rich:s${index % 5_000}`, senderName: `S${index}` }),
    );
    const users = rows(install, 'users');
    const began = performance.now();
    const results = await Promise.all(events.map(world.accept));
    const ms = Math.round(performance.now() - began);
    await world.card('dm-ann');
    const counts = Object.fromEntries(
      ['approvals', 'held_events', 'dropped_messages', 'deliveries', 'audit_log'].map((name) => [
        name,
        rows(install, name),
      ]),
    );
    console.log(`10,000 messages of strangers to ${platformId}: ${ms} ms, ${JSON.stringify(counts)}`);
    assert.ok(ms < 10_000, `${ms} ms`);
    assert.ok(
      Object.values(counts).every((count) => count <= 30),
      JSON.stringify(counts),
    );
    assert.equal(rows(install, 'users'), users);
    const counted = Object.values(world.drops()).reduce((sum, count) => sum + count, 0);
    assert.equal(counted + results.filter(({ status }) => status === 'held').length, 10_000, 'each is accounted for');
    grant(install, 'rich:mel', 'member');
    const before = performance.now();
    assert.equal((await world.accept(eventOf({ platformId: 'room', senderId: 'rich:mel' }))).status, 'stored');
    assert.ok(performance.now() - before < 2_000, 'nobody else is slowed down');
  }
});
