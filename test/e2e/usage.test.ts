import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import {
  bash,
  createMessagesApi,
  gate,
  type MessageReply,
  type MessagesApi,
  say,
  TEST_KEY,
} from '../fakes/messages-api/index.ts';
import { addMembers, type Cast, openCast } from '../support/cast.ts';
import { type HostOptions, startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { killSandbox } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';

/** What a real agent in a real sandbox spends at the scripted API: booked once, shown, and kept within its budget. */

const HERE = { in: 'local' };
/** So much that each answer costs cents. */
const usage = { input_tokens: 20_000, output_tokens: 4_000 };
const costly = (reply: MessageReply): MessageReply => ({ ...reply, usage });

const api = await createMessagesApi();
after(() => api.close());
const start = (options: HostOptions = {}) =>
  startHost({
    provider: 'claude',
    env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url },
    environment: { NANOCLAW_RETRY_MS: '50' },
    ...options,
  });

function rows(home: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

async function ncl(home: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(home, args);
  assert.equal(status, 0, stderr);
  return stdout;
}

const spent = (home: string) => Number(rows(home, 'SELECT ifnull(sum(cost_usd), 0) AS usd FROM usage')[0]?.usd);
const setDay = (home: string, amount: number) =>
  ncl(home, 'budgets', 'set', amount.toFixed(4), '--agent', 'Andy', '--json');
const saidLast = (cast: Cast) => cast.said(HERE).at(-1) ?? '';

function box(home: string): string {
  const [session] = rows(home, 'SELECT id, agent_group_id AS agent FROM sessions');
  return join(home, 'data/v2-sessions', String(session?.agent), String(session?.id), 'box');
}

test('figures are booked once for each turn, whoever dies; then a budget holds, before a turn and inside one', async () => {
  const first = await start();
  after(() => rmSync(first.home, { recursive: true, force: true }));
  let cast = await openCast(first);
  api.script(costly(say('one')));
  assert.deepEqual(await cast.owner.asks('hello', HERE), ['one']);
  await until(() => rows(first.home, 'SELECT 1 FROM usage WHERE is_final = 1').length === 1);
  const each = spent(first.home);
  assert.ok(each > 0.01 && each < 1, `${each} USD`);

  // The sandbox dies in a turn that has cost something, and then the host.
  const held = costly(bash('until [ -e never ]; do sleep 0.05; done'));
  api.script(held, held, costly(say('at last')));
  const asked = await cast.owner.says('work', HERE);
  await until(() => rows(first.home, 'SELECT 1 FROM usage WHERE is_final = 0').length === 1);
  killSandbox(box(first.home));
  await until(() => rows(first.home, 'SELECT 1 FROM usage WHERE is_final = 0').length === 2);
  await first.end('SIGKILL');
  await using host = await start({ home: first.home });
  const { home } = host;
  cast = await openCast(host);
  const outcome = () => rows(home, `SELECT outcome FROM messages WHERE id = '${asked.messageIds[0]}'`)[0]?.outcome;
  await until(() => outcome() === 'reply');
  const booked = rows(home, 'SELECT turn, cost_usd, is_final, output_tokens FROM usage ORDER BY id');
  assert.deepEqual(
    booked.map(({ is_final, output_tokens }) => [is_final, output_tokens]),
    [1, 0, 0, 1].map((isFinal) => [isFinal, 4_000]),
  );
  assert.equal(new Set(booked.map(({ turn }) => turn)).size, 4);
  const [line] = JSON.parse(await ncl(home, 'usage', '--by', 'agent', '--json')) as {
    turns: number;
    costUsd: number;
  }[];
  assert.deepEqual([line?.turns, line?.costUsd.toFixed(6)], [4, spent(home).toFixed(6)]);
  assert.match(await ncl(home, 'usage'), /^\d{4}-\d\d-\d\d {2}\$\d\.\d\d .* tokens {2}4 turns .*\nIn all: \$/);

  // Four fifths of it, told once.
  await setDay(home, spent(home) / 0.9);
  await until(() => cast.said(HERE).some((text) => /^⚠️ Andy has spent \$\d\.\d\d of \$\d\.\d\d for today/.test(text)));
  // One more turn is more than that: it is answered, and the next one waits.
  api.script(costly(say('two')));
  assert.ok((await cast.owner.asks('more', HERE)).includes('two'));
  await until(() => host.log().includes('budget used up'));
  const requests = api.messages.length;
  const waits = await cast.owner.says('and more', HERE);
  await cast.seen(
    HERE,
    /^⏸️ My budget for today is used up\. What was asked waits; I go on at midnight \(Europe\/Berlin\)/,
  );
  const again = await cast.owner.says('still there?', HERE);
  assert.equal(cast.said(HERE).filter((text) => text.startsWith('⏸️')).length, 1);
  assert.equal(cast.said(HERE).filter((text) => text.startsWith('⚠️ Andy')).length, 1);

  addMembers(home, ['terminal:ann']);
  const ann = cast.user('ann');
  assert.deepEqual(await ann.asks('/budget 100', HERE), ['Only admins of Andy see and set its budget.']);
  assert.match((await ann.asks('/usage', HERE)).join(), /^This conversation: \$\d\.\d\d \(.* tokens\) in 5 turns\.$/);
  for (const bad of ['/budget -5', '/budget NaN', '/budget 1e9', '/budget 5 apples', '/budget 20 20']) {
    const [refused] = await cast.owner.asks(bad, HERE);
    assert.match(refused ?? '', /is no amount|in dollars or in tokens|don't understand/, bad);
  }
  assert.equal(api.messages.length, requests, 'nothing was asked meanwhile');
  api.script(costly(say('both')), costly(say('both')));
  assert.match(
    (await cast.owner.asks('/budget 100', HERE)).join(),
    /^My budget for today is \$100 now\. \$\d\.\d\d of it spent\./,
  );
  assert.deepEqual([await waits.settled(), await again.settled()], ['reply', 'reply']);
  assert.match(
    (await cast.owner.asks('/usage', HERE)).join(),
    /Today: \$.*This month: \$.*This conversation: .*My budget for today: \$100/s,
  );

  // Inside a long turn.
  await until(() => rows(home, 'SELECT 1 FROM usage WHERE is_final = 1').length >= 4);
  await setDay(home, spent(home) + 2.5 * each);
  api.skip();
  const before = api.messages.length;
  const wait = gate();
  const step = costly(bash('true'));
  api.script(step, step, step, { ...step, after: wait }, costly(say('never said')));
  const long = await cast.owner.says('a long one', HERE);
  assert.equal(await long.settled(), 'notice');
  await cast.seen(
    HERE,
    /^⏸️ I stopped in the middle: my budget for today is used up\. What was done until then stays done\./,
  );
  const asks = api.messages.length - before;
  assert.ok(asks === 3 || asks === 4, `${asks} requests`);
  assert.ok(!cast.said(HERE).includes('never said'));
  wait.open();
  api.skip();

  // Of nothing, nothing; and none is no limit.
  assert.match(
    (await cast.owner.asks('/budget 0', HERE)).join(),
    /is \$0 now\. Nothing is done until that is raised\./,
  );
  const anything = await cast.owner.says('anything?', HERE);
  await until(() => /I go on when an owner or admin raises it: \/budget \d+$/.test(saidLast(cast)));
  assert.match(
    (await cast.owner.asks('/status', HERE)).join(),
    /: its budget is used up, what is asked waits; 1 open\./,
  );
  api.script(costly(say('again')));
  assert.match((await cast.owner.asks('/budget none', HERE)).join(), /has no limit any more/);
  assert.equal(await anything.settled(), 'reply');
  assert.match(await ncl(home, 'budgets', 'list'), /Andy +day +no limit +– +set/);
  assert.match(await ncl(home, 'audit', 'list'), /budget\.set/);
});

test('inside its sandbox an agent sees what it has spent itself, and asks for more', async () => {
  await using host = await startHost();
  const cast = await openCast(host);
  await ncl(host.home, 'groups', 'create', 'Other');
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { timeout: 10_000 });
  db.exec(`UPDATE container_configs SET cli_scope = 'group';
    INSERT INTO usage (agent_group_id, session_id, provider, model, input_tokens, output_tokens, cost_usd, day, at)
      SELECT id, 'sess-1', 'p', 'of ' || name, 1, 1, 3.5, '2026-11-20', strftime('%Y-%m-%dT%H:%M:%fZ') FROM agent_groups`);
  db.close();
  const asks = async (text: string) => (await cast.owner.asks(`run ncl ${text}`, HERE)).join('\n');
  const own = await asks('usage --by model');
  assert.match(own, /of Andy +\$3\.50/);
  assert.doesNotMatch(own, /Other/);
  assert.match(await asks('usage --agent Other'), /There is no agent "Other"/);
  const listed = await asks('budgets list');
  assert.ok(/Andy +day +\$10/.test(listed) && !listed.includes('Other'), listed);
  assert.match(await asks('budgets set 20'), /asked whether you may/);
  assert.match(await asks('budgets set 20 --all'), /concerns more than this agent/);
  assert.match(await asks('budgets set -- -1'), /is no amount/);
  assert.equal(rows(host.home, 'SELECT 1 FROM budgets').length, 0);
});

test('an idle system asks no model anything, whatever the clock says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-clock-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(import.meta.dirname, '../failures/clock.ts'), join(folder, 'clock.ts'));
  await using host = await start({ node: ['--import', join(folder, 'clock.ts')] });
  const cast = await openCast(host);
  api.skip();
  api.script(say('warm'));
  assert.deepEqual(await cast.owner.asks('hello', HERE), ['warm']);
  const requests = () => countOf(api);
  const before = requests();
  const set = () => host.log().split('the clock was set').length - 1;
  for (let minutes = 20; minutes <= 120; minutes += 20) {
    const seen = set();
    writeFileSync(join(folder, 'clock.new'), String(minutes * 60_000));
    renameSync(join(folder, 'clock.new'), join(folder, 'clock.offset'));
    await until(() => set() > seen);
  }
  assert.equal(requests(), before);
  assert.match(host.log(), /"sandbox started"/);
  assert.doesNotMatch(host.log(), /"sandbox ended"/, 'it was warm all the time');
  assert.equal(rows(host.home, 'SELECT 1 FROM usage').length, 1);
});

function countOf({ requests }: MessagesApi): number {
  return requests.filter(({ path }) => path.startsWith('/v1/messages')).length;
}
