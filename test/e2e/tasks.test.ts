import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openCast } from '../support/cast.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { sandboxProcesses } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';

/** Tasks of a real agent in a real sandbox, with a real clock, and with everything that dies in between. */

const HERE = { in: 'local' };

function query(home: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

async function ncl(home: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(home, args);
  assert.equal(status, 0, stderr);
  return stdout;
}

async function create(home: string, ...flags: string[]): Promise<string> {
  const out: { task: { id: string } } = JSON.parse(await ncl(home, 'tasks', 'create', 'Andy', '--json', ...flags));
  return out.task.id;
}

const statuses = (home: string, id: string) =>
  query(home, `SELECT status FROM task_runs WHERE task_id = '${id}' ORDER BY id`).map(({ status }) => status);

test('a reminder is said where it was asked for, at its time; what needs no answer is silent', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  assert.match(
    (await cast.owner.asks('remind me in 2 seconds: tea', HERE)).join(),
    /^It is planned: “Reminder: tea” \(task-/,
  );
  assert.match((await cast.owner.asks('my tasks', HERE)).join(), /Reminder: tea/);
  await cast.seen(HERE, /^⏰ tea$/);
  await until(() => query(host.home, "SELECT 1 FROM task_runs WHERE status = 'answered'").length === 1);
  const [run] = query(host.home, 'SELECT due_at, fired_at FROM task_runs');
  const late = Date.parse(String(run?.fired_at)) - Date.parse(String(run?.due_at));
  assert.ok(late >= 0 && late < 10_000, `${late} ms late`);
  const quiet = await create(host.home, '--when', '0 9 * * *', '--prompt', 'stay silent');
  await ncl(host.home, 'tasks', 'run-now', quiet);
  await until(() => statuses(host.home, quiet)[0] === 'silent');
  assert.deepEqual(cast.said(HERE).slice(-1), ['⏰ tea']);
});

test('an agent keeps to its own: other agents, what never comes and what comes too often are refused', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  await ncl(host.home, 'groups', 'create', 'Other');
  const asks = async (text: string) => (await cast.owner.asks(text, HERE)).join('\n');
  assert.match(await asks("run ncl tasks create Other --when '0 9 * * *' --prompt x"), /There is no agent "Other"/);
  assert.match(await asks("run ncl tasks create --often --when '* * * * * *' --prompt x"), /--often is not for agents/);
  assert.match(await asks('every * * * * * *: time'), /comes every 1 s: once a minute is the most/);
  assert.match(await asks('every 0 0 30 2 *: time'), /never comes/);
  assert.match(
    await asks("run ncl tasks create --when '0 9 * * *' --prompt x --to nowhere"),
    /There is no destination “nowhere”/,
  );
  assert.match(await asks('every 0 9 * * 1-5: time'), /It is planned: “time” \(task-\w+\)\. Next: \w{3} /);
  assert.match(await asks('run ncl tasks next time'), /(\w{3} \d+ \w{3} \d{4}, 09:00 \(Europe\/Berlin\)\n){5}/);
  assert.match(await asks('run ncl tasks pause time'), /It is paused/);
  assert.match(await asks('run ncl tasks next time'), /It has no next time: it is paused/);
  assert.match(await asks('run ncl tasks cancel time'), /It is cancelled/);
  assert.match(await asks('run ncl tasks cancel never-made'), /There is no task/);
  // Tools of every agent's, whatever it may see of the rest.
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 10_000 });
  db.exec("UPDATE container_configs SET cli_scope = 'disabled'");
  db.close();
  assert.match(await asks('run ncl groups list'), /no ncl/);
  assert.match(await asks('every 0 9 * * 1-5: time'), /It is planned/);
  assert.match(await asks('my tasks'), /time/);
});

test('a watcher wakes nobody until its script says so, and its failures are told', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const count = 'n=$(( $(cat n 2>/dev/null || echo 0) + 1 )); echo $n > n; echo some words; ';
  const script = `${count} [ $n = 3 ] && echo '{"wakeAgent": true, "data": {"found": "'$n' & <b>"}}' || echo '{"wakeAgent": false}'`;
  const id = await create(
    host.home,
    '--when',
    '0 9 * * *',
    '--prompt',
    'Reminder: {data}',
    '--name',
    'Watch',
    '--script',
    script,
  );
  for (const runs of [1, 2, 3, 4]) {
    await ncl(host.home, 'tasks', 'run-now', id);
    await until(() => statuses(host.home, id).filter((status) => status !== null).length === runs, 60_000);
  }
  assert.deepEqual(statuses(host.home, id), ['silent', 'silent', 'answered', 'silent']);
  await cast.seen(HERE, /^⏰/);
  assert.deepEqual(cast.said(HERE), ['⏰ {"found":"3 & <b>"}']);
  // Of the four, the model has had one.
  assert.equal(query(host.home, 'SELECT 1 FROM usage').length, 1);
  await ncl(host.home, 'tasks', 'update', id, '--script', 'echo no route >&2; exit 3');
  await ncl(host.home, 'tasks', 'run-now', id);
  await cast.seen(HERE, /^⚠️ The script of the task “Watch” failed: exit code 3: no route\. It comes again /);
  assert.match(await ncl(host.home, 'tasks', 'history', id), /failed .*exit code 3: no route/);
  assert.equal(query(host.home, 'SELECT 1 FROM usage').length, 1);
});

test('an agent that is killed while its script runs, and again in its turn, still answers once', async () => {
  await using host = await startHost({ environment: { NANOCLAW_RETRY_MS: '100' } });
  const cast = await openCast(host);
  const [folder] = readdirSync(join(host.home, 'groups'));
  const script = `[ -e gate ] || { touch gate; sleep 25; }; echo '{"wakeAgent": true}'`;
  const id = await create(host.home, '--when', '0 9 * * *', '--prompt', 'wait 2 seconds', '--script', script);
  const kill = () => {
    const [session] = query(host.home, 'SELECT id, agent_group_id AS agent FROM sessions');
    const box = join(host.home, 'data/v2-sessions', String(session?.agent), String(session?.id), 'box');
    // With the first of them, the others go.
    const [first] = sandboxProcesses(box);
    return first !== undefined && process.kill(first, 'SIGKILL');
  };
  await ncl(host.home, 'tasks', 'run-now', id);
  await until(() => existsSync(join(host.home, 'groups', String(folder), 'gate')), 60_000);
  assert.ok(kill());
  await until(
    () => query(host.home, "SELECT 1 FROM messages WHERE content LIKE '%Waiting for 2 seconds%'").length > 0,
    60_000,
  );
  assert.ok(kill());
  await until(() => statuses(host.home, id)[0] !== null, 60_000);
  assert.deepEqual(statuses(host.home, id), ['answered']);
  await cast.seen(HERE, /^I waited for 2 seconds\.$/);
  assert.equal(cast.said(HERE).filter((text) => text === 'I waited for 2 seconds.').length, 1);
});

test('a host that is killed again and again fires each time once, and each is answered once', async () => {
  let host = await startHost();
  const { home } = host;
  try {
    const id = await create(
      home,
      '--often',
      '--when',
      '* * * * * *',
      '--prompt',
      'Reminder: tick',
      '--catch-up',
      'all',
    );
    const fired = () => query(home, `SELECT 1 FROM task_runs WHERE task_id = '${id}'`).length;
    for (let round = 1; round <= 3; round++) {
      await until(() => fired() >= 3 * round, 60_000);
      await host.end('SIGKILL');
      host = await startHost({ home });
    }
    await ncl(home, 'tasks', 'cancel', id);
    await until(() => statuses(home, id).every((status) => status !== null), 60_000);
    const runs = query(home, `SELECT due_at, message_id, status FROM task_runs WHERE task_id = '${id}'`);
    assert.ok(runs.every(({ status }) => status === 'answered'));
    assert.equal(new Set(runs.map(({ due_at }) => due_at)).size, runs.length);
    const messages = query(home, "SELECT id FROM messages WHERE kind = 'task'").map(({ id }) => id);
    assert.deepEqual(messages.sort(), runs.map(({ message_id }) => message_id).sort());
    const times = runs.map(({ due_at }) => Date.parse(String(due_at))).sort((a, b) => a - b);
    assert.ok(times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) === 1_000));
    const answers = query(
      home,
      "SELECT json_each.value AS id FROM messages m, json_each(m.content, '$.answers') WHERE m.direction = 'out' AND m.kind = 'chat'",
    );
    assert.deepEqual(answers.map((row) => row.id).sort(), messages);
  } finally {
    await host.end();
    rmSync(home, { recursive: true, force: true });
  }
});

test('a host that was away makes up for what it missed, as each task says; a task outlives its session', async () => {
  await using first = await startHost();
  const { home } = first;
  const ids: string[] = [];
  for (const policy of ['skip', 'once', 'all']) {
    ids.push(await create(home, '--when', '0 0 1 1 *', '--prompt', `Reminder: ${policy}`, '--catch-up', policy));
  }
  await ncl(home, 'sessions', 'list');
  await first.end('SIGKILL');
  const db = new DatabaseSync(join(home, 'data/v2.db'));
  // Six hours without a host: hourly ones, of which the first was due then.
  const since = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 5 * 3_600_000).toISOString();
  db.prepare("UPDATE tasks SET schedule = '0 * * * *', timezone = 'UTC', next_at = ?").run(since);
  db.close();
  await using host = await startHost({ home });
  const cast = await openCast(host);
  await cast.seen(HERE, /⏰ once/);
  await until(() => ids.every((id) => statuses(home, id).every((status) => status !== null)), 60_000);
  const of = (id: string | undefined) =>
    query(home, `SELECT missed, status FROM task_runs WHERE task_id = '${id}' ORDER BY id`);
  assert.deepEqual(of(ids[1]), [{ missed: 5, status: 'answered' }]);
  assert.deepEqual(
    of(ids[2]).map(({ status }) => status),
    Array(6).fill('answered'),
  );
  // Within a minute of the full hour the newest of them is not late yet.
  const skipped = of(ids[0]);
  assert.deepEqual(skipped[0]?.status, 'skipped');
  assert.ok(Number(skipped[0]?.missed) >= 4);
  await ncl(home, 'groups', 'delete', 'Andy', '--yes');
  assert.deepEqual(query(home, 'SELECT id FROM tasks'), []);
});
