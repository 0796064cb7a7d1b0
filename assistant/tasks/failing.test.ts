import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../../test/support/directory.ts';
import { HOUR, MINUTE, stage, T0 } from './testing/stage.ts';

/** Tasks whose turns or scripts fail, or that may no longer speak. */

test('a failure is told where it speaks, and it comes again; after five in a row it is paused, and can go on', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: '*/5 * * * *', name: 'Watch' });
  for (let failures = 1; failures <= 5; failures++) {
    const at = Date.parse(String(scene.task(task.id)?.next_at));
    scene.look(at);
    scene.fail('script', 'exit code 3: no route', at);
    const notice = scene.notices().at(-1) ?? '';
    assert.match(notice, /^⚠️ The script of the task “Watch” failed: exit code 3: no route\. It /);
    assert.match(
      notice,
      failures < 5
        ? /It comes again \w{3} 1 Feb 2027/
        : /It failed 5 times in a row and is paused: `ncl tasks resume task-/,
    );
    assert.equal(scene.task(task.id)?.failures, failures);
  }
  assert.deepEqual([scene.task(task.id)?.status, scene.task(task.id)?.next_at], ['paused', null]);
  const waits = scene.runs(task.id).map(({ due }) => Number(due.slice(11, 13)) * 60 + Number(due.slice(14)));
  assert.ok((waits[4] ?? 0) - (waits[3] ?? 0) > (waits[1] ?? 0) - (waits[0] ?? 0), 'each time it waits longer');
  assert.ok(scene.tasks.changes.resume(task.id, world.owner, T0 + 5 * HOUR).ok);
  assert.equal(scene.task(task.id)?.failures, 0);
  scene.look(T0 + 5 * HOUR + 5 * MINUTE);
  assert.equal(scene.open().length, 1);
});

test('times that were made up for together fail once together', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: '0 * * * *', catchUp: 'all' });
  const woke = T0 + 10 * HOUR;
  scene.look(woke);
  assert.equal(scene.open().length, 10);
  scene.fail('auth', 'refused', woke);
  assert.deepEqual([scene.task(task.id)?.status, scene.task(task.id)?.failures], ['active', 1]);
  assert.equal(scene.notices().length, 1);
  scene.look(woke + HOUR);
  scene.fail('auth', 'refused', woke + HOUR);
  assert.equal(scene.task(task.id)?.failures, 2);
});

test('what is said to the agent of a paused task is said in that chat alone', async () => {
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
  const name = String(
    world.query("SELECT local_name AS name FROM agent_destinations WHERE local_name <> 'family'")[0]?.name,
  );
  scene.create({ when: '*/5 * * * *', name: 'A ring for Ada', to: name });
  install.sessions.ensure(install.agentId, chat.data.id, null, T0 + 30 * 24 * HOUR);
  const told = () =>
    world.query(
      "SELECT s.messaging_group_id AS chat FROM messages m JOIN sessions s ON s.id = m.session_id WHERE m.kind = 'system'",
    );
  for (let failures = 1; failures <= 5; failures++) {
    const at = Date.parse(String(world.query('SELECT next_at FROM tasks')[0]?.next_at));
    scene.look(at);
    scene.fail('script', 'exit code 3', at);
  }
  assert.deepEqual(
    told().map(({ chat }) => chat),
    [install.chatId],
  );
});

test('a reminder whose turn fails comes again, and is not lost', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const task = scene.create({ when: 'in 1 minute', name: 'Tea' });
  scene.look(T0 + MINUTE);
  scene.fail('auth', 'refused', T0 + MINUTE);
  assert.match(scene.notices().at(-1) ?? '', /refused my key[\s\S]*That was the task “Tea”\. It comes again/);
  scene.look(T0 + 2 * MINUTE);
  assert.equal(scene.open().length, 1);
  scene.end('reply', T0 + 3 * MINUTE);
  assert.deepEqual([scene.task(task.id)?.status, scene.task(task.id)?.failures], ['done', 0]);
  assert.deepEqual(
    scene.runs(task.id).map(({ status }) => status),
    ['failed', 'answered'],
  );
});

test('where its agent may not send any more it is paused, and the owner is told', async () => {
  await using world = createWorld();
  const gone = new Set<string>();
  using scene = stage(world, gone);
  const name = String(world.query('SELECT local_name AS name FROM agent_destinations')[0]?.name);
  const task = scene.create({ when: '*/5 * * * *', name: 'News', to: name });
  gone.add('local');
  scene.look(T0 + 5 * MINUTE);
  assert.deepEqual(scene.told, ['⏸️ The task “News” is paused: its agent is no longer in that chat.']);
  gone.clear();
  assert.ok(scene.tasks.changes.resume(task.id, world.owner, T0 + 6 * MINUTE).ok);
  assert.ok(world.directory.removeDestination(world.install.agentId, name, world.owner, T0).ok);
  scene.look(T0 + 10 * MINUTE);
  assert.deepEqual(scene.open(), []);
  assert.deepEqual(scene.told.slice(1), ['⏸️ The task “News” is paused: its agent may no longer send there.']);
  assert.equal(scene.task(task.id)?.reason, 'its agent may no longer send there');
  const refused = scene.tasks.changes.create(
    world.install.agentId,
    { when: 'in 1 minute', prompt: 'x', to: name },
    undefined,
    world.owner,
    T0,
  );
  assert.ok(!refused.ok && refused.code === 'NC_NOT_FOUND');
});
