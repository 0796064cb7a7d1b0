import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { addChats, addMembers, type Cast, openCast } from '../support/cast.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** `ncl` in a real sandbox: typed by an agent, answered by its host. */

/** What a shell in the sandbox says. */
async function run(cast: Cast, command: string, user = 'owner', where = {}): Promise<string> {
  return (await cast.user(user).asks(`run ${command}`, where)).join('\n');
}

function rows(host: TestHost, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

function change(host: TestHost, sql: string): void {
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 10_000 });
  db.exec(sql);
  db.close();
}

test('it is on the PATH, helps, answers as text and as JSON, ignores its input and ends as the host says', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  assert.match(await run(cast, 'command -v ncl'), /^\/usr\/local\/bin\/ncl\n/);
  const help = await run(cast, 'ncl help; ncl groups get --help');
  assert.match(help, /groups list/);
  assert.match(help, /ncl groups get/);
  assert.doesNotMatch(help, /backup|stop-host|audit/);
  assert.match(await run(cast, 'yes | ncl groups list'), /Andy[\s\S]*exit code 0/);
  const [group] = JSON.parse((await run(cast, 'ncl groups list --json')).replace(/\n\(exit.*$/, ''));
  assert.equal(group.name, 'Andy');
  assert.match(await run(cast, 'ncl groups get nobody'), /There is no agent "nobody"[\s\S]*exit code 1/);
  assert.match(await run(cast, 'ncl groups get --what'), /There is no option --what[\s\S]*exit code 2/);
  assert.match(await run(cast, 'ncl stop'), /not for agents[\s\S]*exit code 1/);
  assert.match(await run(cast, 'ncl stop --json'), /^\{"error":\{"code":"NC_FORBIDDEN"/);
  assert.match(await run(cast, 'ncl $(printf "%070000d" 1)'), /too long[\s\S]*exit code 2/);
  // Not from a folder with settings for the runtime in it.
  const hostile = `mkdir -p t && cd t && printf 'preload = ["./x.ts"]' > bunfig.toml && echo 'console.log("mine")' > x.ts && ncl groups list`;
  assert.doesNotMatch(await run(cast, hostile), /mine/);
});

test('a call takes less than 100 ms on a machine with time: the median is printed, and is never beyond 250', async (t) => {
  await using host = await startHost();
  const cast = await openCast(host);
  const timed =
    's=$(date +%s%N); ncl groups list >/dev/null || echo failed; e=$(date +%s%N); echo $(( (e - s) / 100000 ))';
  const said = await run(cast, `for i in $(seq 1 30); do ${timed}; done`);
  const times = said
    .split('\n')
    .flatMap((line) => (/^\d+$/.test(line) ? [Number(line) / 10] : []))
    .sort((a, b) => a - b);
  assert.equal(times.length, 30, said);
  t.diagnostic(`p50 ${times[15]} ms, p95 ${times[28]} ms`);
  assert.ok((times[15] ?? Number.POSITIVE_INFINITY) < 250, `${times[15]} ms`);
});

test('many at once, more than a second has: each is answered, those that are too many with a sentence', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  // Each has some ten processes and threads, of which a sandbox may have 512.
  const said = await run(cast, 'for i in $(seq 1 30); do ncl groups list 2>&1 | tail -1 & done; wait');
  const answered = said.split('\n').filter((line) => /Andy|Too much is asked at once/.test(line));
  assert.equal(answered.length, 30, said);
  assert.ok(answered.some((line) => line.includes('Andy')));
});

test('one that is killed while it waits leaves nothing behind, and nothing of it gets into a prompt', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  await run(cast, 'for i in $(seq 1 10); do timeout -s KILL 0.0$((i * 8)) ncl groups list; done');
  assert.match(await run(cast, 'ncl groups list'), /Andy/);
  assert.deepEqual(rows(host, "SELECT id FROM messages WHERE content LIKE '%ncl%' AND kind = 'system'"), []);
  assert.match((await cast.owner.asks('count')).join(), /This is message 3/);
});

test('without the right to it, ncl says so and nothing else', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  change(host, "UPDATE container_configs SET cli_scope = 'disabled'");
  for (const words of ['', 'help', 'groups list', '--json groups list', 'stop', 'groups get --help']) {
    assert.equal(await run(cast, `ncl ${words}`), 'This agent has no ncl.\n(exit code 1)');
  }
});

test('a change is asked for, the agent goes on, and is told when it was decided', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'dm-ann', unknownSenderPolicy: 'strict' }]);
  change(host, "INSERT INTO users VALUES ('terminal:ann', 'terminal', 'Ann', '2026-01-01T00:00:00.000Z')");
  const cast = await openCast(host);
  const isMember = () => rows(host, "SELECT 1 FROM agent_group_members WHERE user_id = 'terminal:ann'").length > 0;
  assert.match(await run(cast, 'ncl members add terminal:ann'), /Nothing is done yet: .*appr-\w+[\s\S]*exit code 0/);
  const card = await cast.card({});
  assert.match(card.text, /ncl members add terminal:ann \[Ann\]/);
  assert.match(card.text, /For: .*terminal:owner/);
  assert.equal(isMember(), false);
  await cast.owner.presses(card, 'Allow');
  await cast.seen({}, /^I am told: Your request .*✅/);
  assert.equal(isMember(), true);
  const [done] = rows(
    host,
    "SELECT actor, detail FROM audit_log WHERE action = 'member.added' ORDER BY seq DESC LIMIT 1",
  );
  assert.match(String(done?.actor), /^agent:ag-/);
  assert.match(String(done?.detail), /"allowedBy":"terminal:owner"/);

  await run(cast, 'ncl members remove terminal:ann');
  await cast.owner.presses(await cast.card({}, /members remove/), 'Refuse');
  await cast.seen({}, /^I am told: Your request .*🚫/);
  assert.equal(isMember(), true, 'refused, nothing is done');
});

test('global is for the owner’s words alone: another speaker beside them, and it ends at the agent’s own group', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family', engageMode: 'pattern' }]);
  addMembers(host.home, ['terminal:ann']);
  const at = "'2026-01-01T00:00:00.000Z'";
  change(
    host,
    `INSERT INTO agent_groups VALUES ('ag-zelda', 'Zelda', 'zelda', 9, ${at});
     INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at)
       VALUES ('ag-zelda', 'demo', 'Zelda', 'Europe/Berlin', ${at});
     UPDATE container_configs SET cli_scope = 'global' WHERE agent_group_id <> 'ag-zelda'`,
  );
  const cast = await openCast(host);
  const family = { in: 'family' };
  assert.match(await run(cast, 'ncl groups list', 'owner', family), /Zelda/);
  assert.doesNotMatch(await run(cast, 'ncl groups list', 'ann', family), /Zelda/);
  // Hers is open while he speaks.
  const hers = await cast.user('ann').says('run until [ -e go ]; do sleep 0.05; done; ncl groups list', family);
  const his = await cast.owner.says('run ncl groups list', family);
  await run(cast, 'touch go');
  await Promise.all([hers.settled(), his.settled()]);
  const lists = cast.said(family).filter((text) => text.includes('Andy'));
  assert.equal(lists.filter((text) => text.includes('Zelda')).length, 1, 'the owner’s alone, before');
});

test('restarting itself: its turn goes on afterwards, and no message is lost', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'dm-ann' }, { chat: 'other', engageMode: 'pattern' }]);
  const cast = await openCast(host);
  await cast.owner.asks('ping', { in: 'other' });
  const started = () => host.log().split('"sandbox started"').length - 1;
  const long = 'run if [ -e again ]; then echo second; else touch again; ncl groups restart; sleep 30; fi';
  const sent = await cast.owner.says(long);
  const card = await cast.card({}, /groups restart/);
  const before = started();
  const meanwhile = await cast.owner.says('run echo meanwhile');
  await cast.owner.presses(card, 'Allow');
  assert.equal(await sent.settled(), 'reply');
  assert.equal(await meanwhile.settled(), 'reply');
  await cast.seen({}, /second/);
  await cast.seen({}, /meanwhile/);
  await cast.seen({}, /I am told: Your request/);
  await until(() => started() === before + 1);
  assert.match((await cast.owner.asks('count', { in: 'other' })).join(), /message 2/, 'the other sandbox runs on');
});
