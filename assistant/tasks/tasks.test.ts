import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { createWorld } from '../../test/support/directory.ts';
import { MOST_AT_ONCE } from './decide.ts';
import { HOUR, MINUTE, stage, T0 } from './testing/stage.ts';

/** What becomes of tasks while all goes well. */

test('a reminder comes once, where it was asked for, and says when it was due', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: '2027-02-01 09:00', name: 'Tea' });
  scene.look(T0 + 29 * MINUTE);
  assert.deepEqual(scene.open(), []);
  for (const at of [0, 1, 2]) scene.look(T0 + 30 * MINUTE + at);
  const [message, ...others] = scene.open();
  assert.deepEqual(others, []);
  assert.deepEqual(message?.content, {
    task: task.id,
    name: 'Tea',
    prompt: 'Say hello',
    due: 'Mon 1 Feb 2027, 09:00 (Europe/Berlin)',
  });
  assert.deepEqual(scene.woken, [message?.sessionId]);
  assert.equal(world.install.sessions.get(message?.sessionId ?? '')?.messagingGroupId, world.install.chatId);
  assert.equal(scene.task(task.id)?.status, 'done');
  scene.end('reply', T0 + HOUR);
  assert.deepEqual(scene.runs(task.id), [{ due: '2027-02-01T08:00', missed: 0, status: 'answered' }]);
});

test('while its agent may spend nothing, what recurs is left out; what comes once waits; none is run by hand', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const again = scene.create({ when: '0 * * * *' });
  const once = scene.create({ when: '2027-02-01 09:00' });
  scene.broke.why = 'its budget for today is used up';
  scene.look(T0 + 30 * MINUTE);
  assert.deepEqual(scene.runs(again.id), [{ due: '2027-02-01T08:00', missed: 0, status: 'skipped' }]);
  assert.equal(world.query('SELECT detail FROM task_runs WHERE task_id = ?', again.id)[0]?.detail, scene.broke.why);
  assert.equal(scene.task(again.id)?.next_at, '2027-02-01T09:00:00.000Z');
  assert.deepEqual(
    scene.open().map(({ content }) => content.task),
    [once.id],
  );
  const byHand = scene.tasks.changes.runNow(again.id, world.owner, T0 + 31 * MINUTE);
  assert.match(byHand.ok ? '' : (byHand.detail ?? ''), /used up/);
  assert.equal(scene.leftOut.length, 1, 'who asked for it was told; its chat has nothing to do with that');
  scene.broke.isWaiting = false;
  const never = scene.create({ when: '2027-02-01 09:15' });
  scene.look(T0 + 45 * MINUTE);
  assert.deepEqual([scene.runs(never.id), scene.task(never.id)?.status], [[], 'active'], 'it stays due');
  assert.equal(scene.task(never.id)?.reason, 'its budget for today is used up');
  delete scene.broke.why;
  scene.look(T0 + 90 * MINUTE);
  assert.equal(scene.open().length, 3);
  assert.deepEqual([scene.task(never.id)?.status, scene.task(never.id)?.reason], ['done', null]);
});

test('a host that sleeps through six times: left out, made up for once, or each of them', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const [skip, once, all] = (['skip', 'once', 'all'] as const).map((catchUp) =>
    scene.create({ when: '0 * * * *', catchUp }),
  );
  assert.ok(skip && once && all);
  scene.restart();
  const wakes = T0 + 6 * HOUR;
  scene.look(wakes);
  const fired = (id: string) => scene.open().filter(({ content }) => content.task === id);
  assert.deepEqual(fired(skip.id), []);
  assert.deepEqual(
    fired(once.id).map(({ content }) => content.missed),
    [5],
  );
  assert.deepEqual(
    fired(all.id).map(({ content }) => content.due?.slice(16, 21)),
    ['09:00', '10:00', '11:00', '12:00', '13:00', '14:00'],
  );
  assert.deepEqual(scene.runs(skip.id), [{ due: '2027-02-01T13:00', missed: 5, status: 'skipped' }]);
  for (const { id } of [skip, once, all]) assert.equal(scene.task(id)?.next_at, '2027-02-01T14:00:00.000Z');
  scene.end('reply', wakes + MINUTE);
  scene.look(T0 + 6.5 * HOUR);
  for (const { id } of [skip, once, all]) assert.equal(fired(id).length, 1, id);
});

test('what is made up for is bounded, after any absence', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: '*/5 * * * *', catchUp: 'all' });
  scene.look(T0 + 40 * 24 * HOUR);
  assert.equal(scene.open().length, MOST_AT_ONCE);
  assert.equal(scene.open()[0]?.content.missed, 100 - MOST_AT_ONCE);
  assert.equal(scene.task(task.id)?.next_at, isoTime(T0 + 40 * 24 * HOUR + 5 * MINUTE));
});

test('a host that was away for a month holds nothing up for long', async () => {
  await using world = createWorld();
  using scene = stage(world);
  for (let count = 0; count < 60; count++)
    scene.create({ when: '* * * * *', script: '中'.repeat(16_384), prompt: '\u0001'.repeat(16_384) });
  const firedBy = (looks: number) => {
    for (let at = 1; at <= looks; at++) scene.look(T0 + 30 * 24 * HOUR);
    return scene.open().length;
  };
  assert.ok(firedBy(1) < 30);
  assert.equal(firedBy(2), 60);
});

test('one that is still running is not joined by the next; the next time is kept', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: '*/5 * * * *' });
  scene.look(T0 + 5 * MINUTE);
  scene.look(T0 + 10 * MINUTE);
  assert.equal(scene.open().length, 1);
  scene.end('silence', T0 + 11 * MINUTE);
  scene.look(T0 + 15 * MINUTE);
  assert.deepEqual(
    scene.runs(task.id).map(({ status }) => status),
    ['silent', 'skipped', null],
  );
});

test('another time is reckoned with at once; a rest has no times; what ended begins again with a time', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { changes } = scene.tasks;
  const { id } = scene.create({ when: '0 9 * * *' });
  const next = () => scene.task(id)?.next_at;
  assert.equal(next(), '2027-02-01T08:00:00.000Z');
  assert.ok(changes.update(id, { when: '0 18 * * *' }, world.owner, T0).ok);
  assert.equal(next(), '2027-02-01T17:00:00.000Z');
  assert.ok(changes.update(id, { timezone: 'Asia/Kathmandu' }, world.owner, T0).ok);
  assert.equal(next(), '2027-02-01T12:15:00.000Z');
  assert.equal(changes.update(id, { when: '0 0 30 2 *' }, world.owner, T0).ok, false);
  assert.equal(next(), '2027-02-01T12:15:00.000Z');
  assert.ok(changes.pause(id, world.owner, T0).ok);
  scene.look(T0 + 24 * HOUR);
  assert.deepEqual(scene.open(), []);
  assert.ok(changes.resume(id, world.owner, T0 + 24 * HOUR).ok);
  assert.equal(next(), '2027-02-02T12:15:00.000Z');
  assert.ok(changes.cancel(id, world.owner, T0).ok);
  assert.equal(changes.resume(id, world.owner, T0).ok, false);
  assert.equal(changes.runNow(id, world.owner, T0).ok, false);
  assert.ok(changes.update(id, { when: 'in 1 minute' }, world.owner, T0).ok);
  scene.look(T0 + MINUTE);
  assert.equal(scene.open().length, 1);
  assert.equal(changes.pause('task-unknown', world.owner, T0).ok, false);
});

test('one that is run by hand runs besides its times', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { id, nextAt } = scene.create({ when: '0 9 * * *', prompt: 'x' });
  assert.ok(scene.tasks.changes.runNow(id, world.owner, T0).ok);
  assert.equal(scene.open().length, 1);
  assert.equal(scene.task(id)?.next_at, isoTime(nextAt ?? 0));
  assert.equal(scene.woken.length, 1);
  assert.deepEqual(scene.tasks.changes.runNow(id, world.owner, T0 + 1), {
    ok: false,
    code: 'NC_BUSY',
    detail: 'It is running.',
  });
});

test('it comes in the session of its destination: where the agent only speaks, and where all chats are one', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { directory, install, owner } = world;
  const chat = directory.createChat(
    { channelType: 'telegram', platformId: '-77', name: 'Family', isGroup: true },
    owner,
    T0,
  );
  assert.ok(chat.ok);
  assert.ok(directory.addDestination(install.agentId, 'family', chat.data.id, owner, T0).ok);
  const { id } = scene.create({ when: '0 * * * *', to: 'Family' });
  const place = () => {
    const rows = world.query(
      `SELECT m.channel_type AS channel, m.platform_id AS chat, s.messaging_group_id AS session FROM messages m
       JOIN sessions s ON s.id = m.session_id WHERE m.kind = 'task' ORDER BY m.rowid DESC LIMIT 1`,
    );
    return { ...rows[0] };
  };
  assert.ok(scene.tasks.changes.runNow(id, owner, T0).ok);
  assert.deepEqual(place(), { channel: 'telegram', chat: '-77', session: chat.data.id });
  scene.end('reply', T0 + MINUTE);
  const wired = directory.wire(
    { messagingGroupId: chat.data.id, agentGroupId: install.agentId, sessionMode: 'agent-shared' },
    owner,
    T0,
  );
  assert.ok(wired.ok);
  scene.look(T0 + HOUR);
  assert.deepEqual(place(), { channel: 'telegram', chat: '-77', session: null });
});

test('an agent sees and touches its own alone; what goes takes its tasks along', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const other = world.directory.createAgentGroup({ name: 'Other' }, world.owner, T0);
  assert.ok(other.ok);
  const { id } = scene.create({ when: '0 9 * * *' });
  scene.look(T0 + HOUR);
  const by = world.scoped(other.data.id);
  for (const change of ['pause', 'resume', 'cancel', 'runNow', 'get'] as const) {
    const result = change === 'get' ? scene.tasks.changes.get(id, by) : scene.tasks.changes[change](id, by, T0);
    assert.deepEqual(result, { ok: false, code: 'NC_NOT_FOUND', detail: `There is no task "${id}".` });
  }
  assert.equal(world.lookup.list('task', {}, other.data.id).total, 0);
  assert.equal(world.lookup.list('task', {}, world.install.agentId).total, 1);
  assert.equal(world.directory.hanging('group', world.install.agentId).tasks, 1);
  assert.equal(world.directory.hanging('chat', world.install.chatId).tasks, 1);
  assert.ok(world.directory.deleteChat(world.install.chatId, world.owner, T0).ok);
  assert.deepEqual(world.query('SELECT id FROM tasks UNION ALL SELECT id FROM task_runs'), []);
  assert.deepEqual(
    world
      .audited()
      .filter(({ action }) => action.startsWith('task.'))
      .map(({ actor, action }) => [actor, action]),
    [['terminal:owner', 'task.created']],
  );
});

test('with nothing due, nothing is asked of the database', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { id } = scene.create({ when: '0 * * * *' });
  scene.look(T0);
  // Unknown to these tasks: only a look into the database would find it.
  world.query('UPDATE tasks SET next_at = ? WHERE id = ?', isoTime(T0), id);
  for (let at = T0; at < T0 + 30 * MINUTE; at += 1_000) scene.look(at);
  assert.deepEqual(scene.open(), []);
  scene.look(T0 + 30 * MINUTE);
  assert.equal(scene.open().length, 1);
});

test('one that is made and cancelled without end leaves so many and no more, and none that still runs', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { changes } = scene.tasks;
  const running = scene.create({ when: '0 9 * * *' });
  assert.ok(changes.runNow(running.id, world.owner, T0).ok);
  assert.ok(changes.cancel(running.id, world.owner, T0).ok);
  const waits = scene.create({ when: '0 9 * * *' });
  for (let count = 1; count <= 1_020; count++) {
    assert.ok(changes.cancel(scene.create({ when: '0 9 * * *' }, T0 + count).id, world.owner, T0 + count).ok);
  }
  const left = world.query("SELECT id FROM tasks WHERE status = 'cancelled'").map(({ id }) => id);
  assert.ok(left.length <= 1_002, String(left.length));
  assert.ok(left.includes(running.id));
  assert.equal(scene.task(waits.id)?.status, 'active');
});

test('so many wait and no more, also of those that begin again; a script is kept as bash can read it', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { changes } = scene.tasks;
  const first = scene.create({ when: '0 9 * * *', script: 'echo \0 x' });
  assert.equal(scene.task(first.id)?.script, 'echo \uFFFD x');
  assert.ok(changes.update(first.id, { script: 'exit \0' }, world.owner, T0).ok);
  assert.equal(scene.task(first.id)?.script, 'exit \uFFFD');
  assert.ok(changes.cancel(first.id, world.owner, T0).ok);
  for (let count = 0; count < 200; count++) scene.create({ when: '0 9 * * *' });
  const again = changes.update(first.id, { when: '0 10 * * *' }, world.owner, T0);
  assert.ok(!again.ok && again.code === 'NC_BUSY');
  assert.equal(scene.task(first.id)?.status, 'cancelled');
});

test('a name is one line of what can be read, whoever made it', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { name } = scene.create({ when: '0 9 * * *', name: ' a\u001b[2J\u0007b\u202e\nc  d ' });
  assert.doesNotMatch(name, /[\p{Cc}\u202e]/u);
  assert.match(name, /^a.*b.*c d$/);
  assert.equal(scene.create({ when: '0 9 * * *', name: '\u0007' }).name, 'Task');
});
