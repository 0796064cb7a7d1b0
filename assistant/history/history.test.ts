import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { pathsFor } from '../../src/paths.ts';
import { createStage, type Stage } from './testing/stage.ts';

const stage: Stage = createStage();
after(() => stage[Symbol.asyncDispose]());
const chat = stage.addChat('garden');
const session = stage.session(chat);
const here = { sessionId: session.id };
const finds = (words: string, more = {}) => stage.finds(words, here, more);

test('words are found in any order, form of case and accent, and only together', async () => {
  stage.hears(session, chat, 'Der Zahnärzte-Termin in ZÜRICH ist am Montag, Straße 5');
  assert.equal((await finds('zurich zahnarzte')).length, 1);
  assert.equal((await finds('STRASSE')).length, 1);
  assert.deepEqual(await finds('zürich dienstag'), []);
});

test('what the agent said is found as well, and by whom it was said', async () => {
  stage.says(session, chat, 'I have ordered tulips');
  stage.hears(session, chat, 'tulips, lovely', { sender: 'Bob', userId: 'test:bob7' });
  assert.equal((await finds('tulips')).length, 2);
  assert.deepEqual(await finds('tulips', { person: 'me' }), ['I have ordered tulips']);
  assert.deepEqual(await finds('tulips', { person: 'bob' }), ['tulips, lovely']);
  assert.deepEqual(await finds('tulips', { person: 'test:bob7' }), ['tulips, lovely']);
  assert.deepEqual(await finds('', { person: 'BOB' }), ['tulips, lovely']);
  assert.deepEqual(await finds('tulips', { person: 'Carl' }), []);
  for (const [person, nobody] of [
    ['Carl', 'Carl'],
    ['Bob', undefined],
  ] as const) {
    const found = await stage.history.search({ words: 'roses', person, limit: 5 }, here, stage.now);
    assert.equal(found.ok && found.data.nobody, nobody);
  }
});

test('phrases, beginnings, languages without blanks and pictures', async () => {
  stage.hears(session, chat, 'the last train leaves at ten');
  stage.hears(session, chat, 'the train was the last thing');
  stage.hears(session, chat, '我们明天去北京开会');
  stage.hears(session, chat, 'party 🎉 tonight');
  stage.hears(session, chat, 'Rechnungsnummer 4711');
  assert.equal((await finds('last train')).length, 2);
  assert.deepEqual(await finds('"last train"'), ['the last train leaves at ten']);
  assert.deepEqual(await finds('Rechnung*'), ['Rechnungsnummer 4711']);
  assert.deepEqual(await finds('Rechnung'), []);
  assert.deepEqual(await finds('北京'), ['我们明天去北京开会']);
  assert.deepEqual(await finds('京北'), []);
  assert.deepEqual(await finds('🎉'), ['party 🎉 tonight']);
});

test('times are those of the agent’s zone, and both ends count', async () => {
  // Berlin is an hour ahead: half past eleven in the evening there.
  stage.hears(session, chat, 'orchid one', { at: Date.parse('2026-02-09T22:30:00Z') });
  stage.hears(session, chat, 'orchid two', { at: Date.parse('2026-02-09T23:30:00Z') });
  assert.deepEqual(await finds('orchid', { to: '2026-02-09' }), ['orchid one']);
  assert.deepEqual(await finds('orchid', { from: '2026-02-10' }), ['orchid two']);
  assert.deepEqual(await finds('orchid', { from: '2026-02-10 00:30', to: '2026-02-10T00:30+01:00' }), ['orchid two']);
  assert.equal((await finds('orchid', { from: '2026-02-09T22:30Z', to: '2026-02-09T23:29Z' })).length, 1);
  assert.deepEqual(await finds('orchid', { from: '3 days' }), []);
  await assert.rejects(finds('orchid', { from: '2026-02-30' }), /is no time/);
  await assert.rejects(finds('orchid', { to: 'yesterday-ish' }), /is no time/);
});

test('what nobody there has seen is not found: unread, unsent, refused, taken back, the host’s own, of a reset session', async () => {
  stage.hears(session, chat, 'walrus unread', { status: 'pending' });
  stage.hears(session, chat, 'walrus paused', { status: 'paused' });
  stage.hears(session, chat, 'walrus withdrawn', { outcome: 'withdrawn' });
  stage.hears(session, chat, 'walrus deleted', { content: { text: 'walrus deleted', sender: 'Ann', deleted: true } });
  stage.hears(session, chat, '', { kind: 'system', content: { action: 'note', text: 'walrus note' } });
  for (const delivery of ['queued', 'sending', 'failed']) stage.says(session, chat, `walrus ${delivery}`, { delivery });
  stage.says(session, chat, 'walrus of the host', { seq: null });
  stage.says(session, chat, '', { content: { text: 'walrus', reacts: { message: '2', emoji: '👍' } } });
  const gone = stage.addChat('gone');
  const closed = stage.session(gone);
  stage.hears(closed, gone, 'walrus forgotten');
  stage.run("UPDATE sessions SET status = 'closed' WHERE id = ?", closed.id);
  assert.deepEqual(await finds('walrus'), []);
  assert.deepEqual(await stage.finds('walrus', { sessionId: stage.session(gone).id }), []);
  assert.deepEqual(await stage.finds('walrus', {}), ['walrus forgotten']);
  stage.hears(session, chat, 'walrus read, and answered with a notice', { status: 'failed', outcome: 'notice' });
  assert.equal((await finds('walrus')).length, 1);
});

test('edits, deletions and the end of retention reach it before the next search', async () => {
  const id = stage.hears(session, chat, 'the meeting is at the lighthouse');
  const late = stage.hears(session, chat, 'lighthouse unread', { status: 'pending' });
  assert.equal((await finds('lighthouse')).length, 1);
  stage.run("UPDATE messages SET content = json_set(content, '$.edited', 'at the windmill') WHERE id = ?", id);
  assert.deepEqual(await finds('lighthouse'), []);
  assert.deepEqual(await finds('windmill'), ['at the windmill']);
  stage.run("UPDATE messages SET status = 'completed' WHERE id = ?", late);
  assert.deepEqual(await finds('lighthouse'), ['lighthouse unread']);
  stage.run("UPDATE messages SET content = json_set(content, '$.deleted', json('true')) WHERE id = ?", id);
  stage.run('DELETE FROM messages WHERE id = ?', late);
  assert.deepEqual(await finds('windmill'), []);
  assert.deepEqual(await finds('lighthouse'), []);
});

test('what the agent has changed stands in place of what it said', async () => {
  const first = stage.says(session, chat, 'dinner at seven, badger');
  const named = first.slice(first.indexOf('.') + 1);
  const edit = (text: string, delivery: string) =>
    stage.says(session, chat, '', { delivery, content: { text, edits: { message: named, text } } });
  edit('dinner at nine, badger', 'failed');
  assert.deepEqual(await finds('badger'), ['dinner at seven, badger']);
  edit('dinner at eight, badger', 'sent');
  assert.deepEqual(await finds('badger'), ['dinner at eight, badger']);
  edit('no dinner, badger', 'sent');
  assert.deepEqual(await finds('badger'), ['no dinner, badger']);
});

test('rows that get new numbers are neither lost nor found twice', async () => {
  const before = stage.hears(session, chat, 'heron one');
  stage.hears(session, chat, 'heron two');
  assert.equal((await finds('heron')).length, 2);
  stage.run('DELETE FROM messages WHERE id = ?', before);
  stage.install.db.exec('VACUUM');
  stage.hears(session, chat, 'heron three');
  assert.deepEqual(await finds('heron'), ['heron three', 'heron two']);
  const last = stage.hears(session, chat, 'heron four');
  await finds('heron');
  stage.run('DELETE FROM messages WHERE id = ?', last);
  // It takes the number of the one that is gone.
  stage.hears(session, chat, 'heron five');
  assert.deepEqual(await finds('heron'), ['heron five', 'heron three', 'heron two']);
});

test('an index that is gone, broken or of another time is made anew; only its owner can read it', async () => {
  const { history: file } = pathsFor(stage.install.root);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const all = (await stage.finds('', {}, { limit: 100 })).length;
  for (const damage of ['', 'no database at all'.repeat(500)]) {
    await stage.history.stop();
    for (const end of ['', '-wal', '-shm']) writeFileSync(`${file}${end}`, damage);
    await stage.restart();
    assert.equal((await stage.finds('', {}, { limit: 100 })).length, all);
  }
  await stage.history.stop();
  const later = new DatabaseSync(file);
  later.exec('DROP TABLE docs; PRAGMA user_version = 99');
  later.close();
  await stage.restart();
  assert.equal((await stage.finds('', {}, { limit: 100 })).length, all);
  // A backup was put in place, from before the newest changes.
  stage.run('DELETE FROM history_changes');
  stage.run("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'history_changes'");
  await stage.restart();
  assert.equal((await stage.finds('', {}, { limit: 100 })).length, all);
});

test('what it never read of what was changed, it makes up for', async () => {
  const id = stage.hears(session, chat, 'gecko one');
  await finds('gecko');
  await stage.history.stop();
  stage.run("UPDATE messages SET content = json_set(content, '$.edited', 'lizard') WHERE id = ?", id);
  // As after a power cut that took more from the index than from the database.
  stage.run('DELETE FROM history_changes');
  await stage.restart();
  assert.deepEqual([await finds('gecko'), await finds('lizard')], [[], ['lizard']]);
});

test('where its file can’t be, a search says so, and works again when it can', async () => {
  const { history: file } = pathsFor(stage.install.root);
  await stage.history.stop();
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  mkdirSync(file);
  await stage.restart();
  const failed = await stage.history.search({ words: 'lizard', limit: 1 }, here, stage.now);
  assert.ok(!failed.ok && failed.code === 'NC_BUSY' && !failed.detail?.includes(file));
  rmdirSync(file);
  assert.deepEqual(await finds('lizard'), ['lizard']);
});

test('what the index has read needn’t be kept', async () => {
  stage.run('DELETE FROM messages WHERE id = ?', stage.hears(session, chat, 'stork'));
  await finds('stork');
  assert.equal(stage.install.db.prepare('SELECT count(*) AS n FROM history_changes').get()?.n, 0);
});

test('no text can break a search, and none is an operator', async () => {
  const odd = [
    'AND',
    'NOT',
    'a OR b',
    'NEAR(a b)',
    '"',
    '""',
    '*',
    'text : tulips',
    '^tulips',
    '{place} : all',
    "'); DROP TABLE docs; --",
    '\u0000',
    '\ud800',
    '(',
    '-tulips',
    'tulips -lovely',
    '"unfinished',
    'p1',
    'place:p1',
  ];
  for (const words of [...odd, 'x'.repeat(50_000), 'a '.repeat(5_000), '"'.repeat(999)]) {
    const found = await stage.history.search({ words, limit: 5 }, here, stage.now);
    assert.ok(found.ok || found.code === 'NC_USAGE', `${words.slice(0, 30)}: ${JSON.stringify(found)}`);
  }
  assert.deepEqual(await finds('tulips -lovely'), ['tulips, lovely']);
  assert.deepEqual(await finds('place:all'), []);
  for (const person of odd) {
    const found = await stage.history.search({ words: '', person, limit: 5 }, here, stage.now);
    assert.ok(found.ok || found.code === 'NC_USAGE');
  }
});

test('files, webhooks and long texts: the part where it stands, on one line', async () => {
  stage.hears(session, chat, '', {
    content: { text: 'here', sender: 'Ann', attachments: [{ type: 'file', name: 'lease-2026.pdf' }] },
  });
  assert.deepEqual(await finds('lease'), ['here [lease-2026.pdf]']);
  stage.hears(session, chat, '', {
    kind: 'webhook',
    content: { source: 'door', event: 'rang', payload: { by: 'postman' } },
  });
  assert.deepEqual(await finds('postman', { person: 'door' }), ['rang {"by":"postman"}']);
  stage.hears(
    session,
    chat,
    `${'filler '.repeat(500)}\n\nMon 1 Jan · Eve in other · msg-x\n  kingfisher ${'tail '.repeat(500)}`,
  );
  const [text = ''] = await finds('kingfisher');
  assert.match(text, /^….*kingfisher.*…$/);
  assert.ok(text.length < 310);
});

test('the newest come first, and it says that there are more', async () => {
  for (let n = 1; n <= 5; n += 1) stage.hears(session, chat, `puffin ${n}`);
  const found = await stage.history.search({ words: 'puffin', limit: 2 }, here, stage.now);
  assert.ok(found.ok && found.data.more);
  assert.deepEqual(
    found.data.hits.map(({ text }) => text),
    ['puffin 5', 'puffin 4'],
  );
});
