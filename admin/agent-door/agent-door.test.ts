import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { byteLength, MAX_NCL_ANSWER_BYTES, MAX_NCL_REQUEST_BYTES, NclResponse, SystemOut } from '@nanoclaw/protocol';
import { type AuditEntry, createAudit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { createLogger } from '../../src/log/index.ts';
import { createRoles } from '../../src/people/roles.ts';
import { createInstall } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { createCallers } from './callers.ts';
import { createAgentDoor, refusal, type Said } from './index.ts';

/** The door itself: bounds, order, what stays and what goes. */

function stage(run: (argv: readonly string[]) => Said | Promise<Said>) {
  const install = createInstall();
  const session = install.newSession();
  const log = createLogger({ folder: `${install.root}/logs`, secrets: () => [] });
  let published = 0;
  const door = createAgentDoor({
    db: install.db,
    callers: createCallers(install.db, createRoles(install.db)),
    audit: createAudit(install.db),
    commands: () => ({ run: async (_caller, argv) => run(argv), perform: () => ({ ok: true, data: '' }) }),
    publish: () => {
      published += 1;
    },
    log,
  });
  door.opened(session.id);
  let seq = 0;
  return {
    install,
    session,
    door,
    published: () => published,
    ask(...argv: string[]): string {
      seq += 2;
      door.request(session, { requestId: `r${seq}`, argv, seq });
      return `r${seq}`;
    },
    answers: () => door.answers(session.id).map(({ content }) => NclResponse.parse(JSON.parse(content))),
    audited: (): Pick<AuditEntry, 'actor' | 'subject' | 'detail'>[] =>
      install.db
        .prepare("SELECT actor, subject, detail FROM audit_log WHERE action = 'ncl.refused' ORDER BY seq")
        .all()
        .map(({ actor, subject, detail }) => ({
          actor: String(actor),
          subject: String(subject),
          detail: JSON.parse(String(detail)),
        })),
    [Symbol.dispose]() {
      door.stop();
      log.close();
      install[Symbol.dispose]();
    },
  };
}

const ok = (out: string): Said => ({ exit: 0, out, err: '' });

test('answers come in order, and go when they were read', async () => {
  using on = stage((argv) => ok(argv.join(' ')));
  on.ask('one');
  on.ask('two');
  await until(() => on.answers().length === 2);
  assert.deepEqual(
    on.answers().map(({ out }) => out),
    ['one', 'two'],
  );
  const [first] = on.door.answers(on.session.id);
  assert.partialDeepStrictEqual(first, { seq: 2, status: 'paused', trigger: 0, kind: 'system', platform_id: null });
  const published = on.published();
  on.door.seen(on.session.id, [
    { message_id: first?.id ?? '', status: 'completed', status_changed: '2026-01-01T00:00:00.000Z', error: null },
  ]);
  assert.deepEqual(
    on.answers().map(({ out }) => out),
    ['two'],
  );
  assert.equal(on.published(), published + 1);
  assert.deepEqual(on.audited(), []);
});

test('what is refused is written down, with who and what', async () => {
  using on = stage(() => refusal('NC_NOT_FOUND'));
  on.ask('groups', 'get', 'ag-other');
  await until(() => on.answers().length === 1);
  assert.equal(on.answers()[0]?.exit, 1);
  const actor = `agent:${on.install.agentId}`;
  const detail = { command: 'groups get ag-other', code: 'NC_NOT_FOUND' };
  assert.deepEqual(on.audited(), [{ actor, subject: on.session.id, detail }]);
});

test('an agent without ncl is told so, and nothing is run', async () => {
  using on = stage(() => assert.fail('it was run'));
  on.install.db.exec("UPDATE container_configs SET cli_scope = 'disabled'");
  on.ask('help');
  await until(() => on.answers().length === 1);
  assert.partialDeepStrictEqual(on.answers()[0], { exit: 1, out: '', err: 'This agent has no ncl.' });
  assert.equal(on.audited().length, 1);
});

test('a flood: twenty are done, the rest is told to wait, and of the log grows the number alone', async () => {
  let ran = 0;
  using on = stage(() => {
    ran += 1;
    return refusal('NC_FORBIDDEN');
  });
  for (let count = 0; count < 5_000; count++) on.ask('groups', 'delete', 'x'.repeat(10_000));
  await until(() => on.answers().filter(({ err }) => err.includes('not allowed')).length === 20);
  assert.equal(ran, 20);
  assert.ok(on.answers().length <= 70);
  assert.ok(on.answers().some(({ err }) => err.startsWith('Too much is asked at once.')));
  await until(() => on.audited().length === 20);
  on.door.stop();
  assert.equal(on.audited().length, 21);
  assert.deepEqual(on.audited().at(-1)?.detail, { more: 4_980 });
  const size = JSON.stringify(on.audited()).length;
  assert.ok(size < 21 * 1_000, `${size} characters`);
});

test('what takes the host long may follow each other for two seconds, and then has to wait', async () => {
  using on = stage(() => {
    const end = performance.now() + 900;
    while (performance.now() < end);
    return ok('at last');
  });
  for (let count = 0; count < 4; count++) {
    on.ask('long');
    await until(() => on.answers().length === count + 1);
  }
  assert.deepEqual(
    on.answers().map(({ err }) => /^Too much is asked at once/.test(err)),
    [false, false, false, true],
  );
});

test('searches, which are done beside the host, may follow each other', async () => {
  using on = stage(() => {
    const end = performance.now() + 300;
    while (performance.now() < end);
    return ok('found');
  });
  for (let count = 0; count < 5; count++) {
    on.ask('history', 'search', 'tulips');
    await until(() => on.answers().length === count + 1);
  }
  assert.ok(on.answers().every(({ out }) => out === 'found'));
});

test('what is too long is cut, and says so', async () => {
  using on = stage(() => ({ exit: 0, out: '👩‍👩‍👧'.repeat(100_000), err: 'e'.repeat(1000) }));
  on.ask('list');
  await until(() => on.answers().length === 1);
  const [{ out, err } = { out: '', err: '' }] = on.answers();
  assert.ok(byteLength(out) + byteLength(err) <= MAX_NCL_ANSWER_BYTES);
  assert.match(err, /\(This was cut at 256 KB: ask for less at a time\.\)$/);
  assert.equal(out, out.toWellFormed());
});

test('who reads nothing is not given more: what waits is bounded', async () => {
  using on = stage(() => ok('x'.repeat(300_000)));
  for (let count = 0; count < 15; count++) on.ask('list');
  await until(() => on.answers().length === 15);
  assert.match(on.answers().at(-1)?.err ?? '', /^Too much is asked at once. Earlier answers were not read yet./);
  const bytes = on.door.answers(on.session.id).reduce((sum, { content }) => sum + content.length, 0);
  assert.ok(bytes < 10 * MAX_NCL_ANSWER_BYTES, `${bytes}`);
});

test('a command that breaks is one sentence, and the next one is done', async () => {
  using on = stage((argv) => {
    if (argv[0] === 'break') throw new Error('a secret of the host');
    return ok('fine');
  });
  on.ask('break');
  on.ask('go on');
  await until(() => on.answers().length === 2);
  const [broken, fine] = on.answers();
  assert.match(broken?.err ?? '', /^Something unexpected happened\./);
  assert.doesNotMatch(broken?.err ?? '', /secret/);
  assert.equal(fine?.out, 'fine');
});

test('what comes from a sandbox that is gone is left; an answer for it is dropped', async () => {
  let finish = (_said: Said) => {};
  using on = stage(() => new Promise<Said>((resolve) => (finish = resolve)));
  on.ask('slow');
  await new Promise((resolve) => setImmediate(resolve));
  on.door.closed(on.session.id);
  finish(ok('late'));
  on.ask('after its end');
  on.door.opened(on.session.id);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(on.answers(), []);
});

test('an answer that nobody reads goes after a minute: its ncl was killed', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  using on = stage(() => ok('for nobody'));
  on.ask('list');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(on.answers().length, 1);
  mock.timers.tick(59_999);
  assert.equal(on.answers().length, 1);
  const published = on.published();
  mock.timers.tick(1);
  assert.deepEqual(on.answers(), []);
  assert.equal(on.published(), published + 1);
  mock.timers.reset();
});

test('a request names nobody: a field for it breaks the contract, and so does one that is too long', () => {
  const request = { action: 'ncl', requestId: 'r-1', argv: ['groups', 'list'] };
  assert.ok(SystemOut.safeParse(request).success);
  const broken: object[] = [
    { agentGroupId: 'ag-other' },
    { sessionId: 'sess-other' },
    { caller: { kind: 'owner' } },
    { speakers: ['terminal:owner'] },
    { requestId: '../../inbound' },
    { requestId: 'x'.repeat(65) },
    { argv: 'groups list' },
    { argv: [{ toString: 'groups' }] },
    { argv: ['x'.repeat(MAX_NCL_REQUEST_BYTES + 1)] },
    { argv: Array.from({ length: 257 }, () => '') },
  ];
  for (const change of broken) assert.equal(SystemOut.safeParse({ ...request, ...change }).success, false);
});

test('each request takes a number of its own, and none of them is kept as a message', () => {
  using on = stage(() => ok(''));
  const { install, session } = on;
  const row = (seq: number) => ({
    id: `n${seq}`,
    seq,
    in_reply_to: null,
    timestamp: '2026-01-01T00:00:00.000Z',
    deliver_after: null,
    kind: 'system' as const,
    platform_id: null,
    channel_type: null,
    thread_id: null,
    content: JSON.stringify({ action: 'ncl', requestId: `r${seq}`, argv: ['help'] }),
  });
  const snapshot = { messages: [row(1), row(3)], acks: [], phase: null, tools: [], more: false };
  const effects = transaction(install.db, () => install.takeOver.apply(session, snapshot, Date.now()));
  assert.deepEqual(effects.requests, [
    { requestId: 'r1', argv: ['help'], seq: 2 },
    { requestId: 'r3', argv: ['help'], seq: 4 },
  ]);
  assert.deepEqual([install.sessions.get(session.id)?.hostSeq, install.sessions.get(session.id)?.receivedSeq], [4, 3]);
  assert.equal(install.db.prepare('SELECT count(*) AS n FROM messages').get()?.n, 0);
});
