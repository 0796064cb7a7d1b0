import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLogger } from '../../src/log/index.ts';
import { pathsFor } from '../../src/paths.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { tidyFiles } from './files.ts';
import { readLimits } from './limits.ts';
import { tidyRows } from './rows.ts';

const DAY = 86_400_000;
const signal = new AbortController().signal;
const limits = readLimits({}, (sentence) => assert.fail(sentence));
const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };

function receive(install: Install, id: string, at: number, text = 'hello'): void {
  const sessionId = install.newSession().id;
  const timestamp = new Date(at).toISOString();
  const content = { text };
  const added = install.messages.addInbound(
    { ...origin, id, sessionId, kind: 'chat', timestamp, trigger: true, content },
    at,
  );
  assert.ok(added);
}

function settle(install: Install, id: string, at: number): void {
  install.messages.settle(install.newSession().id, id, 'completed', 'reply', at);
}

function say(install: Install, id: string, at: number): void {
  const sessionId = install.newSession().id;
  const timestamp = new Date(at).toISOString();
  install.deliveries.addOutbound(
    { ...origin, id, sessionId, seq: null, kind: 'chat', timestamp, inReplyTo: null, content: '{"text":"hi"}' },
    at,
  );
  install.deliveries.queue(id, null, at);
}

const ids = (install: Install) =>
  install.db
    .prepare('SELECT id FROM messages ORDER BY rowid')
    .all()
    .map(({ id }) => id);

describe('rows', () => {
  test('what is old and settled goes with its deliveries; what is open stays, however old', async () => {
    using install = createInstall();
    const now = Date.now();
    const old = now - 400 * DAY;
    receive(install, 'open', old);
    receive(install, 'settled', old);
    settle(install, 'settled', old + 1000);
    receive(install, 'settled-late', old);
    settle(install, 'settled-late', now - DAY);
    for (const id of ['sent', 'failed', 'queued', 'sending']) say(install, id, old);
    install.deliveries.sent('sent', 'p1', old);
    install.deliveries.failed('failed', 'gone', old);
    install.deliveries.sending('sending', old);
    receive(install, 'new', now - DAY);
    settle(install, 'new', now - DAY);
    const before = ids(install);
    const counted = await tidyRows(install.db, limits, now, true, signal);
    assert.deepEqual(ids(install), before, 'a dry run changes nothing');
    const gone = await tidyRows(install.db, limits, now, false, signal);
    assert.deepEqual(gone, counted, 'a dry run says the same');
    assert.deepEqual(ids(install), ['open', 'settled-late', 'queued', 'sending', 'new']);
    const left = install.db.prepare('SELECT message_id FROM deliveries ORDER BY rowid').all();
    assert.deepEqual(
      left.map((row) => row.message_id),
      ['queued', 'sending'],
    );
    assert.equal(gone[0]?.count, 3);
    assert.equal(install.db.prepare('PRAGMA foreign_key_check').all().length, 0);
  });

  test('too much of it: the oldest go until the rest fits, none of the last week', async () => {
    using install = createInstall();
    const now = Date.now();
    const text = 'x'.repeat(100_000);
    for (let i = 0; i < 40; i += 1) {
      receive(install, `m${i}`, now - (40 - i) * DAY, text);
      settle(install, `m${i}`, now - (40 - i) * DAY);
    }
    const small = { ...limits, messages: { ...limits.messages, bytes: 2 * 1024 ** 2 } };
    await tidyRows(install.db, small, now, false, signal);
    const left = ids(install);
    assert.ok(left.length >= 12 && left.length <= 20, `${left.length} are left`);
    assert.equal(left.at(-1), 'm39');
    await tidyRows(install.db, { ...limits, messages: { ...limits.messages, bytes: 1 } }, now, false, signal);
    assert.deepEqual(
      ids(install),
      [33, 34, 35, 36, 37, 38, 39].map((i) => `m${i}`),
    );
  });

  test('counters and usage have limits of their own', async () => {
    using install = createInstall();
    const { db } = install;
    const now = Date.now();
    const session = install.newSession().id;
    for (const days of [500, 300]) {
      const at = new Date(now - days * DAY).toISOString();
      db.prepare("INSERT INTO egress_counters VALUES ('a', ?, 443, 1, ?, 1, ?, NULL)").run(
        `h${days}`,
        at.slice(0, 10),
        at,
      );
      db.prepare("INSERT INTO dropped_messages VALUES ('t', ?, 'r', 1, ?, ?, NULL)").run(`c${days}`, at, at);
      db.prepare(
        "INSERT INTO usage (agent_group_id, session_id, provider, input_tokens, output_tokens, day, at) VALUES (?, ?, 'p', 1, 1, '', ?)",
      ).run(install.agentId, session, at);
    }
    await tidyRows(db, limits, now, false, signal);
    for (const table of ['egress_counters', 'dropped_messages', 'usage']) {
      assert.equal(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n, 1, table);
    }
  });
});

describe('files', () => {
  const tidy = (install: Install, now: number, dryRun = false) =>
    tidyFiles({
      db: install.db,
      paths: pathsFor(install.root),
      limits,
      now,
      dryRun,
      signal,
      log: createLogger({ folder: join(install.root, 'logs'), secrets: () => [] }),
    });
  const make = (...parts: string[]): string => {
    const file = join(...parts);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, 'x'.repeat(10_000));
    return file;
  };
  /** No test can make an old inode: the clock is asked later instead. */
  const later = (days: number) => Date.now() + days * DAY;

  test('attachments of settled messages go, those of open ones stay', async () => {
    using install = createInstall();
    const session = install.newSession();
    const inbox = join(install.root, 'data/v2-sessions', install.agentId, session.id, 'inbound/inbox');
    receive(install, 'open', Date.now());
    receive(install, 'settled', Date.now());
    settle(install, 'settled', Date.now());
    const files = ['open', 'settled', 'row-is-gone'].map((id) => make(inbox, id, '1-photo.jpg'));
    const received = make(install.root, 'data/received/note-1/report.txt');
    await tidy(install, later(80));
    assert.ok([...files, received].every((file) => existsSync(file)));
    const counted = await tidy(install, later(100), true);
    assert.ok([...files, received].every((file) => existsSync(file)));
    assert.deepEqual(await tidy(install, later(100)), counted);
    assert.deepEqual(readdirSync(inbox), ['open']);
    assert.equal(existsSync(received), false);
    const attachments = counted.find(({ kind }) => kind === 'attachments');
    assert.equal(attachments?.count, 3);
    assert.ok((attachments?.bytes ?? 0) >= 30_000);
  });

  test('old conversations go; a link in place of their folder leads nowhere', async () => {
    using install = createInstall();
    const sessions = [install.newSession().id, 'sess-2', 'sess-3'];
    const [kept = '', linked = '', tree = ''] = sessions.map((id) =>
      join(install.root, 'data/v2-sessions', install.agentId, id, 'box/conversations'),
    );
    const outside = make(install.root, 'outside/kept.txt');
    make(kept, '2026-03-01-1200-tulips.md');
    mkdirSync(join(linked, '..'), { recursive: true });
    symlinkSync(join(install.root, 'outside'), linked);
    symlinkSync(outside, join(kept, 'link.md'));
    make(tree, 'a/b/c', 'file');
    await tidy(install, later(300));
    assert.equal(readdirSync(kept).length, 2);
    const gone = await tidy(install, later(400));
    assert.deepEqual([readdirSync(kept), readdirSync(tree)], [[], []]);
    assert.equal(gone.find(({ kind }) => kind === 'conversations')?.count, 3);
    assert.equal(readFileSync(outside, 'utf8').length, 10_000);
  });

  test('a hostile tree in the quarantine goes: links, depth, names, folders without rights', async () => {
    using install = createInstall();
    const outside = make(install.root, 'outside/kept.txt');
    const session = install.newSession();
    const quarantine = join(install.root, 'data/v2-sessions', install.agentId, session.id, 'quarantine');
    const tree = join(quarantine, 'heartbeat-1');
    mkdirSync(tree, { recursive: true });
    symlinkSync(join(install.root, 'outside'), join(tree, 'link'));
    symlinkSync(outside, join(quarantine, '1700000000000'));
    // Deeper than a path may be long.
    const script = `cd "$1" && for i in $(seq 300); do mkdir ${'d'.repeat(50)} && cd ${'d'.repeat(50)} && : > file; done`;
    execFileSync('bash', ['-c', script, 'deep', tree]);
    make(tree, 'line\nbreak');
    make(tree, 'closed', 'file');
    chmodSync(join(tree, 'closed'), 0);
    await tidy(install, later(20));
    assert.equal(readdirSync(quarantine).length, 2);
    const gone = await tidy(install, later(40));
    assert.deepEqual(readdirSync(quarantine), []);
    assert.equal(gone.find(({ kind }) => kind === 'quarantine')?.count, 2);
    assert.equal(readFileSync(outside, 'utf8').length, 10_000);
  });

  test('logs of sessions go; of the backups one stays', async () => {
    using install = createInstall();
    const log = make(install.root, 'logs/sessions/sess-1.log');
    const backups = join(install.root, 'data/backups');
    make(backups, 'one.tar');
    make(backups, 'v2-2026-01-01T00-00-00.000Z.db');
    make(backups, '.making-abc', 'data/v2.db');
    make(backups, 'two.tar.abc.part');
    await tidy(install, later(400));
    assert.equal(existsSync(log), false);
    assert.deepEqual(readdirSync(backups), ['one.tar']);
  });
});
