import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { raw } from '../../channels/web-server/test-support.ts';
import { openCast } from '../support/cast.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';
import { addWebhook, type Program, type SentEvent, startProgram } from './webhook-far-end.ts';

/** A real host: a signed event in, an agent in its sandbox, a signed answer out. */

function install(): { home: string } & Disposable {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-webhook-')));
  initFirstAgent(home, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  return { home, [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }) };
}

function rows(home: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

const STORED = "SELECT id, kind, user_id, content FROM messages WHERE direction = 'in' AND channel_type = 'webhook'";

/** As a platform does: again, until it is taken. */
async function insist(program: Program, event: SentEvent): Promise<unknown> {
  let taken: unknown;
  await until(async () => {
    const response = await program.send(event).catch(() => undefined);
    if (response && response.status < 300) taken = await response.json();
    return taken !== undefined;
  });
  return taken;
}

test('a signed event wakes an agent, and its answer is posted, signed, once, also when the receiver failed first', async () => {
  using made = install();
  await using program = await startProgram();
  addWebhook(made.home, program.settings);
  await using host = await startHost({ home: made.home, env: program.env });
  program.fail(503);
  const id = randomUUID();
  const taken = await insist(program, { id, body: 'run echo from outside' });
  await until(() => program.answers.length === 1);
  const [answer] = program.answers;
  assert.match(answer?.text ?? '', /from outside/);
  assert.deepEqual(taken, { status: 'stored', id: answer?.inReplyTo, ids: [answer?.inReplyTo] });
  assert.equal(program.forged(), 0);

  const again = await program.send({ id, body: 'run echo from outside' });
  assert.deepEqual([again.status, await again.json()], [200, { status: 'duplicate' }]);
  const [row, ...more] = rows(made.home, STORED);
  assert.equal(more.length, 0);
  assert.equal(row?.kind, 'webhook');
  assert.equal(row?.user_id, null);
  const content = { source: 'events', event: 'text', payload: 'run echo from outside' };
  assert.deepEqual(JSON.parse(String(row?.content)), content);
  assert.equal(program.answers.length + program.repeats(), 1);
  assert.ok(!host.log().includes(program.settings.SECRET?.slice(6, 30) ?? 'nothing'));
});

test('a host that is killed between its commit and its answer stores the event once', async () => {
  using made = install();
  await using program = await startProgram();
  addWebhook(made.home, program.settings);
  const event = { id: randomUUID(), body: 'run echo after all' };
  const host = await startHost({
    home: made.home,
    env: program.env,
    environment: { NANOCLAW_FAULT: 'accept.committed@1' },
  });
  const gone = once(host.process, 'exit');
  // Until its web server is there, nothing is committed.
  await until(async () => {
    const sent = program.send(event).then(
      ({ status }) => assert.fail(`It was answered with ${status}.`),
      () => {},
    );
    await Promise.race([sent, gone]);
    return host.process.signalCode !== null;
  });
  assert.equal(rows(made.home, STORED).length, 1);
  await using _second = await startHost({ home: made.home, env: program.env });
  assert.deepEqual(await insist(program, event), { status: 'duplicate' });
  await until(() => program.answers.length === 1);
  assert.match(program.answers[0]?.text ?? '', /after all/);
  assert.equal(rows(made.home, STORED).length, 1);
});

test('from nothing to an answer by ncl alone, and its URL', async () => {
  using made = install();
  await using program = await startProgram();
  const env = { ...program.env, PUBLIC_URL: 'https://a.example/bot/' };
  await using host = await startHost({ home: made.home, env });
  const ncl = async (...args: string[]) => {
    const { status, stdout, stderr } = await runNcl(made.home, args);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const settings = join(made.home, 'settings');
  writeFileSync(
    settings,
    Object.entries(program.settings)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(''),
  );
  const added = await ncl('channels', 'add', 'webhook', '--from', settings);
  assert.match(added, /Events of events .*are taken at https:\/\/a\.example\/bot\/webhook\/webhook/);
  await ncl('channels', 'wire', 'webhook', 'events');
  assert.equal((await ncl('channels', 'webhook-url', 'webhook')).trim(), 'https://a.example/bot/webhook/webhook');
  assert.match(await ncl('members', 'list'), /webhook:events/);
  await insist(program, { body: 'run echo by hand' });
  await until(() => program.answers.some(({ text }) => text.includes('by hand')));
  await ncl('channels', 'disable', 'webhook');
  await assert.rejects(program.send({ body: 'anybody there?' }));
  assert.ok(!host.log().includes(program.settings.SECRET?.slice(6, 30) ?? 'nothing'));
});

test('an event is never a command, a decision or a code, whatever it says', async () => {
  using made = install();
  await using program = await startProgram();
  addWebhook(made.home, program.settings);
  await using _host = await startHost({ home: made.home, env: program.env });
  const said = ['/clear', '/stop', '/approve 1', 'K7QM-2XHF', '!1'];
  for (const body of said) await insist(program, { body });
  const kinds = rows(made.home, STORED).map(({ kind }) => kind);
  assert.deepEqual(
    kinds,
    said.map(() => 'webhook'),
  );
});

test('an event of a source that nobody has admitted waits, and is answered when it is', async () => {
  using made = install();
  await using program = await startProgram();
  addWebhook(made.home, program.settings, { wired: false });
  await using host = await startHost({ home: made.home, env: program.env });
  assert.deepEqual(await insist(program, { body: 'run echo at last' }), { status: 'held' });
  const cast = await openCast(host);
  await cast.owner.presses(await cast.card({}, /events wants to talk to an agent/), 'Andy');
  await until(() => program.answers.some(({ text }) => text.includes('at last')));
  assert.equal(rows(made.home, STORED)[0]?.kind, 'webhook');
});

test('bad input changes nothing, and keeps nobody else from being heard', async () => {
  using made = install();
  await using program = await startProgram();
  addWebhook(made.home, program.settings);
  await using _host = await startHost({ home: made.home, env: program.env });
  await insist(program, { id: 'first', body: 'run echo one' });
  const old = String(Math.floor(Date.now() / 1000) - 301);
  const table: readonly [string, SentEvent, number][] = [
    ['a wrong signature', { body: 'x', headers: { 'webhook-signature': `v1,${'A'.repeat(43)}=` } }, 401],
    ['none', { body: 'x', headers: { 'webhook-signature': '' } }, 401],
    ['an old time', { body: 'x', headers: { 'webhook-timestamp': old } }, 401],
    ['an unknown source', { body: 'x', source: 'nobody' }, 401],
    ['no JSON', { body: '{"a":', type: 'application/json' }, 400],
    ['nothing', { body: '', type: 'text/plain' }, 400],
    ['blanks', { body: ' \n ', type: 'text/plain' }, 400],
    ['300 KB', { body: 'a'.repeat(300 * 1024) }, 413],
    ['a replay', { id: 'first', body: 'run echo one' }, 200],
    ['its id for something else', { id: 'first', body: 'run echo two' }, 200],
  ];
  for (const [what, event, wanted] of table) assert.equal((await program.send(event)).status, wanted, what);
  const large = Buffer.alloc(1024 * 1024, 'a');
  const port = Number(program.env.WEBHOOK_PORT);
  const request = 'POST /webhook/webhook/events HTTP/1.1\r\nHost: a\r\nContent-Length: 52428800\r\n\r\n';
  assert.deepEqual((await raw(port, [request, ...Array<Buffer>(50).fill(large)])).statuses, [413]);
  assert.equal(rows(made.home, STORED).length, 1);

  // Each twice, side by side: what a platform does that hears no answer.
  const events = Array.from({ length: 100 }, (_, index) => ({ id: `event-${index}`, body: `{"number":${index}}` }));
  const statuses = await Promise.all(
    [...events, ...events].map((event) =>
      program.send({ ...event, type: 'application/json' }).then(({ status }) => status),
    ),
  );
  assert.equal(statuses.filter((status) => status === 202).length, 100);
  assert.equal(statuses.filter((status) => status === 200).length, 100);
  assert.equal(rows(made.home, STORED).length, 101);
});
