import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { addChats, addMembers, type Cast, openCast } from '../support/cast.ts';
import { type HostOptions, startHost, type TestHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** Cards, names and what waits, on a real host with a real agent. */

function query(home: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { timeout: 5_000 });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

const makeAdmin = (host: TestHost, user: string) =>
  query(
    host.home,
    `INSERT INTO user_roles (user_id, role, granted_at) VALUES ('${user}', 'admin', '2026-01-01T00:00:00.000Z')`,
  );

async function again(host: TestHost, options: HostOptions = {}): Promise<[TestHost, Cast]> {
  await host.end('SIGKILL');
  const next = await startHost({ ...options, home: host.home });
  return [next, await openCast(next)];
}

test('a group where no agent listens: an agent is chosen, and everything that waited is answered', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  const kim = cast.user('kim');
  const sent = await kim.says('run echo first @bot', { in: 'family' });
  assert.equal(sent.status, 'held');
  assert.equal((await kim.says('run echo second @bot', { in: 'family' })).status, 'held');
  const card = await cast.card({}, /kim wants an agent in family/);
  assert.match(card.body, /> run echo first @bot/);
  assert.match(await cast.owner.presses(card, 'Andy'), /✅ You allowed it\. Andy listens there now/);
  assert.match(await cast.edited(card), /✅ Owner allowed it/);
  await cast.seen({ in: 'family' }, /first/);
  await cast.seen({ in: 'family' }, /second/);
  assert.match((await kim.asks('run echo third @bot', { in: 'family' })).join(), /third/);
  const lee = await cast.user('lee').says('hello @bot', { in: 'family' });
  assert.equal(lee.status, 'held');
  await cast.owner.presses(await cast.card({}, /lee wants to talk to Andy/), 'Refuse');
  const later = await cast.user('lee').says('hello? @bot', { in: 'family' });
  assert.deepEqual([later.status, later.code], ['refused', 'NC_MESSAGE_DROPPED']);
});

test('two admins press one card at the same instant; members, strangers and passed-on cards change nothing', async () => {
  await using host = await startHost();
  addChats(host.home, [{ chat: 'family', unknownSenderPolicy: 'request_approval' }]);
  addMembers(host.home, ['terminal:ann', 'terminal:mel']);
  makeAdmin(host, 'terminal:ann');
  const cast = await openCast(host);
  await cast.user('kim').says('run echo hi @bot', { in: 'family' });
  const card = await cast.card({ in: 'dm-ann' }, /kim wants to talk to Andy/);
  assert.match(await cast.user('mel').presses(card, 'Allow'), /^You may not decide this/);
  assert.match(await cast.user('eve').presses(card, 'Allow'), /^You may not decide this/);
  assert.match(await cast.user('ann').presses(card, 'Allow', { in: 'family' }), /^This card was passed on/);
  assert.match(
    await cast.user('ann').pressesData({ id: 'other' }, card.buttons[0]?.data ?? '', { in: 'dm-ann' }),
    /^This card/,
  );
  const answers = await Promise.all([cast.user('ann').presses(card, 'Allow'), cast.owner.presses(card, 'Allow')]);
  assert.deepEqual(answers, [
    '✅ You allowed it. kim may talk to Andy now.',
    '✅ Ann allowed it. kim may talk to Andy now.'.replace('Ann', 'ann'),
  ]);
  await cast.seen({ in: 'family' }, /hi/);
  assert.deepEqual(
    query(host.home, "SELECT action FROM audit_log WHERE action IN ('member.added', 'approval.approved')").map(
      (row) => row.action,
    ),
    ['member.added', 'approval.approved'],
  );
});

test('a new agent gets its name after the host was killed in between', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  await cast.user('kim').says('run echo hi @bot', { in: 'family' });
  const card = await cast.card({}, /family/);
  assert.match(await cast.owner.presses(card, 'A new agent'), /Your next message here is its name/);
  const [next, recast] = await again(host);
  await using _next = next;
  assert.equal((await recast.owner.says('Bob')).status, 'answered');
  await recast.seen({ in: 'family' }, /hi/);
  assert.deepEqual(
    query(host.home, 'SELECT folder FROM agent_groups ORDER BY uid_ordinal').map(({ folder }) => folder),
    ['andy', 'bob'],
  );
  assert.ok(existsSync(join(host.home, 'groups/bob/CLAUDE.local.md')));
  assert.match((await recast.owner.asks('run echo own')).join(), /own/, 'the owner speaks to Andy as before');
});

test('killed while it hands on what waited, a host does each once after its start', async () => {
  // The first commits are the decision, then each message and that it is taken.
  for (const nth of [1, 2, 3, 4]) {
    await using host = await startHost();
    const cast = await openCast(host);
    for (const word of ['one', 'two', 'three']) await cast.user('kim').says(`run echo ${word} @bot`, { in: 'family' });
    const card = await cast.card({}, /family/);
    const [armed, recast] = await again(host, { environment: { NANOCLAW_FAULT: `accept.committed@${nth}` } });
    void recast.owner.presses(card, 'Andy').catch(() => {});
    await until(() => armed.process.signalCode === 'SIGKILL');
    const [last, cast3] = await again(armed);
    await using _last = last;
    for (const word of ['one', 'two', 'three']) await cast3.seen({ in: 'family' }, new RegExp(word));
    const stored = query(
      host.home,
      "SELECT content ->> 'text' AS text FROM messages WHERE direction = 'in' AND platform_id = 'family' ORDER BY seq",
    );
    assert.deepEqual(
      stored.map(({ text }) => text),
      ['one', 'two', 'three'].map((word) => `run echo ${word} @bot`),
    );
    assert.deepEqual(query(host.home, 'SELECT id FROM held_events'), []);
  }
});

test('nobody answers: the next one is asked, then it expires, and every card says so', async () => {
  const env = { NANOCLAW_APPROVAL_NEXT_MINUTES: '0.005', NANOCLAW_APPROVAL_HOURS: '0.0012' };
  await using host = await startHost({ env });
  addMembers(host.home, ['terminal:ann']);
  makeAdmin(host, 'terminal:ann');
  const cast = await openCast(host);
  await cast.user('kim').says('hi @bot', { in: 'family' });
  const first = await cast.card({ in: 'dm-ann' }, /family/);
  const second = await cast.card({}, /family/);
  for (const card of [first, second]) assert.match(await cast.edited(card, /⌛/), /Nobody decided this in time/);
  assert.match(await cast.owner.presses(second, 'Andy'), /^⌛ Nobody decided this in time/);
  assert.deepEqual(
    query(host.home, 'SELECT reason, count FROM dropped_messages').map((row) => ({ ...row })),
    [{ reason: 'approval-expired', count: 1 }],
  );
});
