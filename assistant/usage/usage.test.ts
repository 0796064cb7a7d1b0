import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transaction } from '../../src/db/group-commit.ts';
import { createInstall } from '../../test/support/central.ts';
import { DAY, owner, stage, T } from './testing/stage.ts';

/** What is booked, what waits and what is said. */

test('figures of a turn are booked once: those so far give way to the next, the last ones stay', () => {
  using install = createInstall();
  using on = stage(install);
  const mine = on.ask();
  on.spend(0.1, { turn: 't1', soFar: true }, T, mine);
  on.spend(0.3, { turn: 't1', soFar: true }, T);
  on.spend(0.25, { turn: 't1', outputTokens: 50, durationMs: 1_234.5, model: 'm' }, T + 1);
  on.spend(9, { turn: 't1' }, T + 2);
  on.spend(0.1, {}, T);
  on.spend(undefined, {}, T);
  const [first, ...others] = on.rows();
  assert.deepEqual(
    [first?.cost_usd, first?.output_tokens, first?.is_final, first?.message_id, first?.day, first?.duration_ms],
    [0.25, 50, 1, mine, '2027-02-10', 1_235],
  );
  assert.deepEqual(
    others.map((row) => row.cost_usd),
    [0.1, null],
  );
  // Another's message is not its own.
  const other = transaction(install.db, () => install.sessions.ensure(install.agentId, null, null, T));
  on.spend(0.1, { turn: 't1' }, T, mine, other);
  assert.equal(on.rows().at(-1)?.message_id, null);
  assert.equal(on.rows().length, 4);
});

test('what is spent stays when its session goes, and goes with its agent', () => {
  using install = createInstall();
  using on = stage(install);
  on.spend(1);
  install.db.exec('DELETE FROM sessions');
  assert.equal(on.rows().length, 1);
  assert.equal(on.usage.tools.figures({ by: 'session', since: 0 }, owner)[0]?.label, on.session.id);
  install.db.exec('PRAGMA foreign_keys = ON; DELETE FROM messaging_group_agents; DELETE FROM agent_destinations');
  install.db.exec('DELETE FROM user_roles; DELETE FROM agent_group_members; DELETE FROM agent_groups');
  assert.equal(on.rows().length, 0);
});

test('beyond the budget what comes waits, its chat is told once, and it goes on when that is raised', () => {
  using install = createInstall();
  using on = stage(install);
  on.spend(9.99);
  assert.equal(on.usage.isHeld(on.session.id), false);
  on.spend(0.02);
  assert.equal(on.usage.isHeld(on.session.id), true);
  assert.deepEqual(on.said(), [], 'nobody has asked yet');
  on.ask();
  on.ask();
  assert.deepEqual(on.messages.dueSessions(T), []);
  assert.equal(on.messages.due(on.session.id, T).count, 0);
  for (const at of [T, T + 1_000, T + 2_000]) on.usage.look(at);
  on.restart();
  on.usage.look(T + 3_000);
  assert.deepEqual(on.said(), [
    '⏸️ My budget for today is used up. What was asked waits; I go on at midnight (Europe/Berlin), or when an owner or admin raises it: /budget 20',
  ]);
  for (const thread of ['t1', 't2', 't1']) on.ask(on.session, 'chat', thread);
  on.usage.look(T + 4_000);
  assert.equal(on.said().length, 3, 'in a thread nobody sees what was said in another one');
  assert.ok(on.set('20').ok);
  assert.equal(on.usage.isHeld(on.session.id), false);
  assert.deepEqual(on.woken, [on.session.id]);
  on.spend(10);
  on.ask();
  on.usage.look(T + 5_000);
  assert.match(on.said()[3] ?? '', /\/budget 40$/, 'another budget is another notice');
  on.set('0');
  on.usage.look(T + 6_000);
  assert.match(on.said().at(-1) ?? '', /^⏸️ I may spend nothing today\. What was asked waits/);
  const count = on.said().length;
  on.usage.look(T + 7_000);
  assert.equal(on.said().length, count);
  on.set('none');
  on.set('0');
  on.usage.look(T + 8_000);
  assert.ok(on.said().length > count, 'the same amount, set again, is told again');
});

test('a day and a month end by themselves, where the agent lives; a clock set back is no new day', () => {
  using install = createInstall();
  using on = stage(install);
  on.set('15', 'month');
  on.spend(10);
  on.ask();
  const midnight = Date.parse('2027-02-10T23:00:00Z');
  on.usage.look(midnight - 1);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.usage.look(midnight);
  assert.equal(on.usage.isHeld(on.session.id), false);
  assert.deepEqual(on.woken, [on.session.id]);
  on.usage.look(T);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.usage.look(T + DAY);
  on.spend(5, {}, T + DAY);
  on.usage.look(T + DAY);
  assert.match(
    on.said().at(-1) ?? '',
    /^⏸️ My budget for this month is used up.*I go on on? ?1 March, or .*\/budget month 30$/,
  );
  on.usage.look(T + 2 * DAY);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.usage.look(T + 20 * DAY);
  assert.equal(on.usage.isHeld(on.session.id), false);
});

test('an agent that has just been made has the budget of all, and its own days', () => {
  using install = createInstall();
  using on = stage(install);
  on.set('0', 'month', true);
  install.db.exec(`INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES ('ag-new', 'New', 'new', 99, '');
    INSERT INTO container_configs (agent_group_id, assistant_name, provider, timezone, updated_at)
      VALUES ('ag-new', 'New', 'demo', 'Asia/Tokyo', '')`);
  const other = transaction(install.db, () => install.sessions.ensure('ag-new', null, null, T));
  assert.equal(on.usage.isHeld(other.id), true);
  on.set('none', 'month', true);
  assert.equal(on.usage.isHeld(other.id), false);
  on.spend(1, {}, Date.parse('2027-02-10T16:00:00Z'), null, other);
  assert.equal(on.rows().at(-1)?.day, '2027-02-11');
});

test('what has been spent follows the table, whatever happens to it', () => {
  using install = createInstall();
  using on = stage(install);
  on.spend(4, { turn: 't1' });
  on.spend(7, { turn: 't2', soFar: true });
  assert.throws(() =>
    transaction(install.db, () => {
      on.usage.report(
        on.session,
        { action: 'usage', provider: 'p', inputTokens: 1, outputTokens: 1, costUsd: 90 },
        null,
        T,
      );
      throw new Error('undone');
    }),
  );
  const day = () => {
    const listed = on.usage.tools.budgets.list(owner);
    return listed.ok ? listed.data[0]?.spent : undefined;
  };
  assert.equal(day(), 11);
  on.spend(6, { turn: 't2' });
  assert.equal(day(), 10);
  on.restart();
  on.usage.look(T);
  assert.equal(day(), 10);
  install.db.exec("DELETE FROM usage WHERE turn = 't1'");
  on.usage.look(T + DAY);
  on.usage.look(T);
  assert.equal(day(), 6);
});

test('what may run is known before: a recurring task is left out, one that comes once waits, a run of 0 never begins', () => {
  using install = createInstall();
  using on = stage(install);
  const task = (recurs: boolean) => ({
    ...{ id: 't', agentGroupId: install.agentId, chatId: '', threadId: null, name: 'Watch', prompt: '', script: null },
    ...{ schedule: { text: '', recurs, timezone: 'UTC' }, catchUp: 'once' as const, status: 'active' as const },
    ...{ reason: null, nextAt: T, failures: 0 },
  });
  const at = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
  const isLeftOut = (recurs: boolean) => {
    const left = on.usage.leavesOut(task(recurs), at, T);
    return left && [left.why, left.isWaiting];
  };
  assert.equal(isLeftOut(true), undefined);
  on.set('0', 'task');
  assert.deepEqual(isLeftOut(false), ['it may spend nothing on a run of a task', false]);
  on.set('none', 'task');
  on.spend(11);
  assert.deepEqual(isLeftOut(false), ['its budget for today is used up', true]);
  assert.deepEqual(isLeftOut(true), ['its budget for today is used up', false]);
  assert.deepEqual(on.said(), [], 'it has only been asked');
  for (const _ of [1, 2]) on.usage.leavesOut(task(true), at, T)?.tell();
  assert.equal(on.said().length, 1);
  on.ask();
  on.usage.look(T);
  assert.equal(on.said().length, 2, 'whoever asks there is no task');
  assert.match(
    on.said()[0] ?? '',
    /^⏸️ The task “Watch” is left out: my budget for today is used up\. I go on at midnight/,
  );
});

test('at four fifths the owner hears of it once', () => {
  using install = createInstall();
  using on = stage(install);
  for (const usd of [7.9, 0.2, 0.2]) on.spend(usd);
  on.restart();
  on.usage.look(T);
  assert.deepEqual(on.told, ['⚠️ Andy has spent $8.10 of $10 for today. At the end of it, work stops.']);
  on.usage.look(T + DAY);
  on.spend(9, {}, T + DAY);
  assert.equal(on.told.length, 2);
});

test('nothing may be spent of 0; none is no limit; for all counts what all have spent; what is no amount changes nothing', () => {
  using install = createInstall();
  using on = stage(install);
  on.set('0');
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.ask();
  on.usage.look(T);
  assert.match(on.said().at(-1) ?? '', /I go on when an owner or admin raises it: \/budget 10$/);
  on.usage.look(T + 60_000);
  assert.equal(on.said().length, 1);
  on.usage.look(T + DAY);
  assert.equal(on.said().length, 2, 'each day is told, also to one that never spent anything');
  on.usage.look(T + 3 * DAY);
  assert.equal(on.said().length, 3);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.set('none');
  on.spend(1_000);
  assert.equal(on.usage.isHeld(on.session.id), false);
  on.set('1000', 'month', true);
  assert.equal(on.usage.isHeld(on.session.id), true);
  on.set('2000', 'month', true);
  assert.equal(on.usage.isHeld(on.session.id), false);
  for (const bad of ['-1', 'NaN', '1e400', 'much', '']) assert.equal(on.set(bad).ok, false, bad);
  const stranger = { actor: 'agent:x', scope: 'ag-other' };
  const own = { agentGroupId: install.agentId, period: 'day', unit: 'usd' } as const;
  assert.equal(on.usage.tools.budgets.set(own, '1', stranger, T).ok, false);
  assert.equal(
    on.usage.tools.budgets.set({ ...own, agentGroupId: null }, '1', { ...stranger, scope: install.agentId }, T).ok,
    false,
  );
  assert.deepEqual(on.usage.tools.figures({ by: 'day', since: 0 }, stranger), []);
  const audited = install.db.prepare("SELECT count(*) AS n FROM audit_log WHERE action LIKE 'budget.%'").get();
  assert.equal(audited?.n, 4);
});

test('where nothing was spent no calendar is asked', (t) => {
  using install = createInstall();
  const asked = t.mock.method(Intl, 'DateTimeFormat').mock;
  using on = stage(install);
  on.usage.look(T);
  on.usage.look(T + DAY);
  assert.equal(on.usage.isHeld(on.session.id), false);
  assert.equal(asked.callCount(), 0);
  on.spend(1);
  assert.ok(asked.callCount() > 0);
});

test('figures are summed up by what is asked for', () => {
  using install = createInstall();
  using on = stage(install);
  on.spend(1, { model: 'big' });
  on.spend(2, { model: 'small' }, T + DAY);
  on.spend(undefined, { provider: 'other' }, T + DAY);
  const by = (by: 'day' | 'model' | 'agent' | 'task' | 'provider') =>
    on.usage.tools.figures({ by, since: 0 }, owner).map(({ label, costUsd, turns }) => [label, costUsd, turns]);
  assert.deepEqual(by('day'), [
    ['2027-02-10', 1, 1],
    ['2027-02-11', 2, 2],
  ]);
  assert.deepEqual(by('model'), [
    ['small', 2, 1],
    ['big', 1, 1],
    ['not said', null, 1],
  ]);
  assert.deepEqual(by('agent'), [['Andy', 3, 3]]);
  assert.deepEqual(by('task'), [['no task', 3, 3]]);
  assert.deepEqual(by('provider')[0], ['claude', 3, 2]);
  const threads = ['t1', 't2'].map((thread) =>
    transaction(install.db, () => install.sessions.ensure(install.agentId, install.chatId, thread, T)),
  );
  for (const of of threads) on.spend(5, {}, T, null, of);
  const labels = on.usage.tools.figures({ by: 'session', since: 0 }, owner).map(({ label }) => label);
  assert.equal(new Set(labels).size, 3);
  assert.ok(labels.includes('Terminal · Andy · t1'), labels.join());
  assert.equal(on.usage.tools.figures({ by: 'day', since: T + 1 }, owner).length, 1);
});
