import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { transaction } from '../../src/db/group-commit.ts';
import { ensureUser } from '../../src/people/roles.ts';
import { createFarEnd, createWorld, eventOf, furnish, grant, type World } from '../../test/support/approvals.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { must } from '../must.ts';
import type { NewApproval, Performed } from './index.ts';

const MINUTE = 60_000;

/** A kind that counts what it does. */
function counting(world: World, done: () => Performed = () => ({ ok: true, data: 'Done.' })) {
  const performed: unknown[] = [];
  world.approvals.register({
    kind: 'count',
    perform(action) {
      performed.push(action);
      return done();
    },
  });
  return performed;
}

let count = 0;
function request(install: Install, world: World, over: Partial<NewApproval> = {}): string {
  count += 1;
  const { agentId: agentGroupId } = install;
  const origin = { channel_type: 'rich', platform_id: 'room', thread_id: null };
  const made = transaction(install.db, () =>
    world.approvals.request(
      {
        kind: 'count',
        subject: `s${count}`,
        agentGroupId,
        sessionId: null,
        requestedBy: `agent:${agentGroupId}`,
        origin,
        title: `Request ${count}`,
        body: 'What is done: all of it.',
        options: [
          { label: 'Allow', does: 'approve', action: { frozen: count } },
          { label: 'Refuse', does: 'deny', action: null },
        ],
        ...over,
      },
      Date.now(),
    ),
  );
  assert.ok(made.ok);
  made.data.after();
  return made.data.id;
}

const say = (world: World, senderId: string, text: string, chat = `dm-${senderId.replace(/^.*:/, '')}`) =>
  world.accept(
    eventOf({
      channelType: senderId.replace(/:.*$/, ''),
      platformId: chat,
      senderId,
      isGroup: false,
      isMention: false,
      text,
    }),
  );

describe('a decision by button', () => {
  test('two at the same instant by two admins: one decision, one action, two clear answers', async () => {
    using install = createInstall();
    furnish(install);
    grant(install, 'rich:bob', 'admin');
    await using world = await createWorld(install);
    const performed = counting(world);
    const id = request(install, world);
    const card = await world.card('dm-bob');
    const answers = await Promise.all([
      world.press(card, 'Allow', 'rich:bob'),
      world.press(card, 'Refuse', 'rich:ann'),
    ]);
    assert.deepEqual(performed, [{ frozen: count }]);
    assert.deepEqual(answers, ['✅ You allowed it. Done.', '✅ Bob allowed it. Done.']);
    assert.deepEqual(
      world.audited().filter((action) => action !== 'approval.asked'),
      ['approval.requested', 'approval.approved'],
    );
    assert.equal(world.approvals.get(id)?.decided_by, 'rich:bob');
  });

  const one: { name: string; press(world: World, id: string): Promise<string> | string; answer: RegExp }[] = [
    {
      name: 'by a member',
      press: async (world) => world.press(await world.card('dm-ann'), 'Allow', 'rich:mel'),
      answer: /^You may not decide this/,
    },
    {
      name: 'by a stranger',
      press: async (world) => world.press(await world.card('dm-ann'), 'Allow', 'rich:eve'),
      answer: /^You may not decide this/,
    },
    {
      name: 'on a card that was passed on to another chat',
      press: async (world) => world.press(await world.card('dm-ann'), 'Allow', 'rich:ann', { platformId: 'room' }),
      answer: /^This card was passed on/,
    },
    {
      name: 'on a copy of the card in the same chat',
      press: async (world) =>
        world.press(await world.card('dm-ann'), 'Allow', 'rich:ann', { platformMessageId: 'p-x' }),
      answer: /^This card was passed on/,
    },
    {
      name: 'on the same chat name of another channel',
      press: async (world) => world.press(await world.card('dm-ann'), 'Allow', 'rich:ann', { channelType: 'plain' }),
      answer: /^This card was passed on/,
    },
    {
      name: 'of a button that no card has',
      press: async (world, id) => world.press(await world.card('dm-ann'), `a:${id}:7`, 'rich:ann'),
      answer: /^Which of these\?/,
    },
    {
      name: 'of a request that never was',
      press: async (world) => world.press(await world.card('dm-ann'), 'a:appr-x:0', 'rich:ann'),
      answer: /^There is no such request/,
    },
    {
      name: 'of a button of somebody else',
      press: async (world) => world.press(await world.card('dm-ann'), 'x'.repeat(10_000), 'rich:ann'),
      answer: /^This button has no use/,
    },
  ];
  for (const { name, press, answer } of one) {
    test(`${name}: one answer, and nothing is done`, async () => {
      using install = createInstall();
      furnish(install);
      grant(install, 'rich:mel', 'member');
      await using world = await createWorld(install);
      const performed = counting(world);
      const id = request(install, world);
      assert.match(await press(world, id), answer);
      assert.deepEqual([performed, world.approvals.get(id)?.status], [[], 'pending']);
      assert.equal(world.far.said.length, 1, 'no word in any chat');
    });
  }

  test('after it expired, noticed or not: one answer', async () => {
    for (const swept of [false, true]) {
      using install = createInstall();
      furnish(install);
      await using world = await createWorld(install);
      const performed = counting(world);
      const id = request(install, world);
      const card = await world.card('dm-ann');
      install.db.prepare('UPDATE approvals SET expires_at = ?').run(isoTime(Date.now() - 1));
      if (swept) world.approvals.sweep(Date.now());
      assert.match(await world.press(card, 'Allow', 'rich:ann'), /^⌛ Nobody decided this in time/);
      assert.deepEqual([performed, world.approvals.get(id)?.status], [[], 'expired']);
      await until(() => world.shown('dm-ann').some((text) => text.includes('⌛')));
      assert.equal(world.audited().at(-1), 'approval.expired');
    }
  });

  test('after a restart the card is as good as before', async () => {
    using install = createInstall();
    furnish(install);
    const far = createFarEnd();
    {
      await using before = await createWorld(install, { far });
      request(install, before);
      await before.card('dm-ann');
    }
    await using world = await createWorld(install, { far });
    const performed = counting(world);
    assert.match(await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann'), /^✅ You allowed it/);
    assert.equal(performed.length, 1);
    assert.match(await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann'), /^✅ You allowed it/);
    assert.equal(performed.length, 1);
  });

  test('the rights are those of the moment', async () => {
    using install = createInstall();
    furnish(install);
    grant(install, 'rich:bob', 'admin', install.agentId);
    await using world = await createWorld(install);
    const performed = counting(world);
    request(install, world);
    const card = await world.card('dm-bob');
    install.db.exec("DELETE FROM user_roles WHERE user_id = 'rich:bob'");
    assert.match(await world.press(card, 'Allow', 'rich:bob'), /^You may not/);
    assert.deepEqual(performed, []);
    const other = request(install, world, { agentGroupId: null });
    grant(install, 'rich:bob', 'admin', install.agentId);
    await world.approvals.decide({ id: other, option: 0 }, { user: 'rich:bob' });
    assert.equal(world.approvals.get(other)?.status, 'pending', 'what concerns all is not for the admin of one');
  });
});

describe('a decision by text', () => {
  test('on a channel without buttons: numbers, beginnings of ids, and one answer for each mistake', async () => {
    using install = createInstall();
    furnish(install);
    install.db.exec("UPDATE user_roles SET user_id = 'terminal:owner'");
    grant(install, 'plain:pat', 'owner');
    install.db.exec("DELETE FROM user_roles WHERE user_id = 'terminal:owner'");
    await using world = await createWorld(install);
    const performed = counting(world);
    const [first = '', second = ''] = [request(install, world), request(install, world)].toSorted();
    await until(() => world.shown('dm-pat').length === 2);
    const text = world.shown('dm-pat').find((one) => one.includes(first.slice(5, 17))) ?? '';
    assert.match(text, new RegExp(`1\\. Allow\\n2\\. Refuse\\nAnswer with /approve ${first.slice(5, 17)}`));
    const ask = async (words: string) => {
      const from = world.shown('dm-pat').length;
      assert.equal((await say(world, 'plain:pat', words)).status, 'answered');
      await until(() => world.shown('dm-pat').length > from);
      return world.shown('dm-pat').slice(from);
    };
    assert.match(
      (await ask('/approve')).join(),
      new RegExp(`${first.slice(5, 17)} – Request.*\n${second.slice(5, 17)} –`),
    );
    assert.match((await ask('/approve a')).join(), /There is no request a that you may decide/);
    assert.match((await ask('/approve m')).join(), /More than one request begins with m/);
    assert.match((await ask(`/approve ${first} 9`)).join(), /Which of these\?/);
    assert.deepEqual(performed, []);
    assert.deepEqual(await ask(`/approve ${first.slice(0, 18).toUpperCase().replace('APPR', 'appr')}`), [
      '✅ You allowed it. Done.',
    ]);
    assert.deepEqual(await ask(`/approve ${second.slice(5)} 2`), ['🚫 You refused it.']);
    assert.deepEqual(await ask(`/deny ${first}`), ['✅ You allowed it. Done.']);
    assert.equal(performed.length, 1);
  });

  test('by a member one sentence; by a stranger it is a message like any other', async () => {
    using install = createInstall();
    furnish(install);
    grant(install, 'rich:mel', 'member');
    await using world = await createWorld(install);
    const performed = counting(world);
    const id = request(install, world);
    assert.equal((await say(world, 'rich:mel', `/approve ${id}`)).status, 'answered');
    await until(() => world.shown('dm-mel').length === 1);
    assert.deepEqual(world.shown('dm-mel'), [`There is no request ${id} that you may decide.`]);
    const users = world.query('SELECT id FROM users').length;
    assert.equal((await say(world, 'rich:eve', `/approve ${id}`)).status, 'dropped');
    assert.equal(world.query('SELECT id FROM users').length, users);
    assert.deepEqual([performed, world.shown('dm-eve')], [[], []]);
  });

  test('somebody who is known by name alone, or was denied, is a stranger with it', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    transaction(install.db, () => ensureUser(install.db, 'rich:eve', 'Eve', Date.now()));
    world.directory.denySender('rich:eve', install.agentId, { actor: 'rich:ann', scope: null }, Date.now());
    for (const words of ['/approve', '/deny x'])
      assert.equal((await say(world, 'rich:eve', words, 'room')).status, 'dropped');
    assert.deepEqual(world.shown('room'), []);
  });

  test('a message that an agent has had is no name when the platform sends it again', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const by = { actor: 'rich:ann', scope: null };
    const chat = must(world.directory.createChat({ channelType: 'rich', platformId: 'dm-ann', isGroup: false }, by, 1));
    must(world.directory.wire({ messagingGroupId: chat.id, agentGroupId: install.agentId }, by, 1));
    const words = eventOf({ platformId: 'dm-ann', senderId: 'rich:ann', isGroup: false, text: 'good morning' });
    assert.equal((await world.accept(words)).status, 'stored');
    await world.accept(eventOf({ platformId: 'new', senderId: 'rich:kim', text: 'hi' }));
    assert.match(await world.press(await world.card('dm-ann'), 'A new agent', 'rich:ann'), /What shall it be called/);
    assert.equal((await world.accept(words)).status, 'duplicate');
    assert.equal(world.approval().status, 'naming');
  });

  test('a new name with the words; without one only where the card is', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf({ platformId: 'new', senderId: 'rich:ann', text: 'hi' }));
    await world.card('dm-ann');
    const id = world.approval().id;
    await say(world, 'rich:ann', `/approve ${id} 2`, 'room');
    assert.equal(world.approval().status, 'pending');
    await until(() => world.shown('room').some((text) => /^This needs a name: \/approve \S+ 2 <name>$/.test(text)));
    await say(world, 'rich:ann', `/approve ${id} 2 Carla Bruni`, 'room');
    assert.equal(world.approval().result, 'Carla Bruni listens there now, and Kim may talk to it.');
    await until(() => world.stored().length === 1);
  });
});

describe('what is done', () => {
  test('the name of whoever decided stays on its line', async () => {
    using install = createInstall();
    furnish(install);
    install.db.prepare("UPDATE users SET display_name = ? WHERE id = 'rich:ann'").run('Ann\n🚫 Bob refused it\u202e');
    await using world = await createWorld(install);
    counting(world);
    request(install, world);
    await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann');
    await until(() => world.shown('dm-ann').some((text) => /✅ Ann 🚫 Bob refused it allowed it\./.test(text)));
  });

  test('what fails is undone, told, and can not be allowed again', async () => {
    for (const done of [
      (): Performed => ({ ok: false, code: 'NC_NOT_FOUND', detail: 'It went.' }),
      (): Performed => {
        throw new TypeError('a bug');
      },
    ]) {
      using install = createInstall();
      furnish(install);
      await using world = await createWorld(install);
      world.approvals.register({
        kind: 'count',
        perform() {
          install.db.exec("UPDATE users SET display_name = 'half done'");
          return done();
        },
      });
      const id = request(install, world);
      assert.match(
        await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann'),
        /^⚠️ You chose “Allow”, but .*(It went|a bug)/,
      );
      assert.equal(world.approvals.get(id)?.status, 'failed');
      assert.deepEqual(world.query("SELECT 1 FROM users WHERE display_name = 'half done'"), []);
      assert.match(await world.press(await world.card('dm-ann'), 'Allow', 'rich:ann'), /could not be done/);
    }
  });

  test('when the database fails nothing is decided, and it can be tried again', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    let full = true;
    const performed = counting(world, () => {
      if (full) throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
      return { ok: true, data: 'Done.' };
    });
    const id = request(install, world);
    const card = await world.card('dm-ann');
    assert.match(await world.press(card, 'Allow', 'rich:ann'), /Nothing was changed: please try again/);
    assert.equal(world.approvals.get(id)?.status, 'pending');
    full = false;
    assert.match(await world.press(card, 'Allow', 'rich:ann'), /^✅/);
    assert.equal(performed.length, 2);
  });

  test('an action that removes what asked for it, and this approval with it, is done and told', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    const { id: agentId } = world.query('SELECT id FROM agent_groups')[0] ?? {};
    world.approvals.register({
      kind: 'count',
      perform(_action, _approval, actor, now) {
        const gone = world.directory.deleteAgentGroup(String(agentId), { actor, scope: null }, now);
        return gone.ok ? { ok: true, data: 'It is gone.' } : gone;
      },
    });
    const id = request(install, world);
    const card = await world.card('dm-ann');
    assert.equal(await world.press(card, 'Allow', 'rich:ann'), '✅ You allowed it. It is gone.');
    await until(() => world.shown('dm-ann').some((text) => text.includes('It is gone.')));
    assert.equal(world.approvals.get(id), undefined);
    await world.directory.settled();
  });

  test('an agent that is deleted takes its open requests with it, and their cards say so', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    await world.accept(eventOf());
    await world.card('dm-ann');
    world.directory.deleteAgentGroup(install.agentId, { actor: 'host', scope: null }, Date.now());
    await until(() => world.shown('dm-ann').some((text) => text.includes('What this was about is gone.')));
    assert.deepEqual(world.query('SELECT id FROM approvals'), []);
    assert.equal(world.drops()['approval-expired'], 1);
    await world.directory.settled();
  });

  test('the agent that asked is woken, in the chat where it asked', async () => {
    for (const [label, status] of [
      ['Allow', 'approved'],
      ['Refuse', 'denied'],
    ] as const) {
      using install = createInstall();
      furnish(install);
      await using world = await createWorld(install);
      counting(world);
      const session = transaction(install.db, () => install.newSession());
      const origin = { channel_type: 'rich', platform_id: 'room', thread_id: 't1' };
      request(install, world, { sessionId: session.id, origin });
      await world.press(await world.card('dm-ann'), label, 'rich:ann');
      const [row] = install.messages.openRows(session.id);
      assert.deepEqual(
        [row?.kind, row?.trigger, row?.channel_type, row?.platform_id, row?.thread_id],
        ['system', 1, 'rich', 'room', 't1'],
      );
      assert.match(row?.content ?? '', new RegExp(`"subject":"approval","status":"${status}".*Ann`));
      assert.deepEqual(world.woken, [session.id]);
    }
  });

  test('one open request for a subject; of one session only so many', async () => {
    using install = createInstall();
    furnish(install);
    await using world = await createWorld(install);
    counting(world);
    const session = transaction(install.db, () => install.newSession());
    const same = { subject: 'same', sessionId: session.id };
    assert.equal(request(install, world, same), request(install, world, same));
    for (let index = 1; index < 30; index += 1) request(install, world, { sessionId: session.id });
    assert.throws(() => request(install, world, { sessionId: session.id }));
    request(install, world);
    await until(() => world.far.said.length === 31);
  });
});

describe('who is asked', () => {
  test('one at a time: the next one after fifteen minutes, all of them see the outcome, then nobody is left', async () => {
    using install = createInstall();
    furnish(install);
    grant(install, 'rich:sue', 'admin', install.agentId);
    grant(install, 'plain:gus', 'admin');
    await using world = await createWorld(install);
    counting(world);
    const id = request(install, world);
    await world.card('dm-sue');
    const started = Date.now();
    world.approvals.sweep(started + 14 * MINUTE);
    world.approvals.sweep(started + 16 * MINUTE);
    await until(() => world.shown('dm-gus').length === 1);
    install.db.prepare('UPDATE approvals SET escalate_at = ?').run(isoTime(started));
    world.approvals.sweep(started);
    const last = await world.card('dm-ann');
    install.db.prepare('UPDATE approvals SET escalate_at = ?').run(isoTime(started));
    world.approvals.sweep(started);
    await until(() => world.approvals.get(id)?.escalate_at === null);
    assert.equal(world.far.said.length, 3);
    await world.press(last, 'Allow', 'rich:ann');
    await until(() => world.far.said.length === 6);
    for (const chat of ['dm-sue', 'dm-ann']) assert.match(world.shown(chat).join(), /✅ Ann allowed it/);
    assert.match(
      world.shown('dm-gus')[1] ?? '',
      /^Request \d+\n✅ Ann allowed it\. Done\.$/,
      'a short one where nothing can be changed',
    );
    world.approvals.sweep(started + 25 * 60 * MINUTE);
    assert.equal(world.far.said.length, 6);
  });

  test('who can not be reached, or whose card is refused, is passed over at once', async () => {
    using install = createInstall();
    furnish(install);
    grant(install, 'rich:sue', 'admin', install.agentId);
    grant(install, 'rich:tom', 'admin', install.agentId);
    await using world = await createWorld(install);
    world.far.closed.add('sue');
    world.far.answer = ({ platformId }) =>
      platformId === 'dm-tom' ? { status: 'failed', retryable: false, error: 'blocked' } : undefined;
    const id = request(install, world);
    await until(() => {
      world.approvals.sweep(Date.now());
      return world.shown('dm-ann').length === 1;
    });
    world.far.closed.clear();
    install.db.prepare('UPDATE approvals SET escalate_at = ?').run(isoTime(Date.now()));
    world.approvals.sweep(Date.now());
    await world.card('dm-sue');
    assert.equal(world.approvals.get(id)?.status, 'pending');
  });

  test('nobody to ask: the chat is told once, and somebody who comes later is asked', async () => {
    using install = createInstall();
    furnish(install);
    install.db.exec('DELETE FROM user_roles');
    await using world = await createWorld(install);
    for (let index = 0; index < 5; index += 1) await world.accept(eventOf({ platformId: 'new' }));
    await until(() => world.shown('new').length === 1);
    assert.match(world.shown('new').join(), /nobody of them can be reached/);
    for (let pass = 1; pass <= 3; pass += 1) {
      install.db.prepare('UPDATE approvals SET escalate_at = ?').run(isoTime(Date.now()));
      world.approvals.sweep(Date.now());
      await until(() => Date.parse(world.approval().escalate_at ?? '') > Date.now() + MINUTE);
    }
    assert.equal(world.shown('new').length, 1);
    assert.equal(world.audited().filter((action) => action === 'approval.nobody').length, 1);
    grant(install, 'rich:ann', 'owner');
    install.db.prepare('UPDATE approvals SET escalate_at = ?').run(isoTime(Date.now()));
    world.approvals.sweep(Date.now());
    await world.press(await world.card('dm-ann'), 'Andy', 'rich:ann');
    await until(() => world.stored().length === 5);
  });

  test('whoever has spoken alone with the bot is asked there, without a new chat', async () => {
    using install = createInstall();
    furnish(install);
    install.db.exec(
      "INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES ('mg-d', 'rich', 'D123', '2026-01-01T00:00:00.000Z')",
    );
    install.db
      .prepare(
        "INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at) VALUES ('mga-d', 'mg-d', ?, 'pattern', '.', '')",
      )
      .run(install.agentId);
    await using world = await createWorld(install);
    counting(world);
    await say(world, 'rich:ann', 'hello', 'D123');
    world.far.closed.add('ann');
    request(install, world);
    await world.card('D123');
    assert.deepEqual(
      world.query('SELECT messaging_group_id FROM user_dms').map((row) => row.messaging_group_id),
      ['mg-d'],
    );
  });
});
