import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pathsFor } from '../../src/paths.ts';
import { until } from '../../test/support/until.ts';
import { createKeeper } from './keeper.ts';
import { createStage } from './testing/stage.ts';

const log = { info: () => undefined, warn: () => undefined };
const everything = { wanted: [], within: { places: null, forgotten: true }, limit: 10 };

test('its process starts when it is asked, ends when it isn’t, and comes again when it was killed', async () => {
  await using stage = createStage();
  const paths = pathsFor(stage.install.root);
  const chat = stage.addChat('garden');
  stage.hears(stage.session(chat), chat, 'tulips');
  const keeper = createKeeper({ central: paths.db, index: paths.history, log, idleMs: 30 });
  assert.equal(keeper.isRunning(), false);
  assert.equal((await keeper.search(everything))?.found?.hits.length, 1);
  await until(() => !keeper.isRunning());
  assert.equal((await keeper.search(everything))?.found?.hits.length, 1);
  await keeper.stop();
  assert.equal(await keeper.search(everything), undefined);

  const hasty = createKeeper({ central: paths.db, index: paths.history, log, deadlineMs: 1 });
  assert.equal(await hasty.search(everything), undefined);
  await until(() => !hasty.isRunning());
  assert.equal(await hasty.search(everything), undefined);
  await hasty.stop();
});

test('what is asked while it goes to rest is answered by the next one', async () => {
  await using stage = createStage();
  const paths = pathsFor(stage.install.root);
  const keeper = createKeeper({ central: paths.db, index: paths.history, log, idleMs: 5 });
  for (let n = 0; n < 3; n += 1) {
    assert.ok(await keeper.search(everything));
    // At the same moment, but after it has been told to end.
    await pause(5);
  }
  await keeper.stop();
});

test('a machine that can start nothing more holds nothing up', async () => {
  await using stage = createStage();
  const paths = pathsFor(stage.install.root);
  const keeper = createKeeper({ central: paths.db, index: paths.history, log });
  const { execPath } = process;
  process.execPath = '/nowhere/node';
  try {
    assert.equal(await keeper.search(everything), undefined);
    assert.equal(keeper.isRunning(), false);
  } finally {
    process.execPath = execPath;
  }
  assert.ok(await keeper.search(everything));
  await keeper.stop();
});

test('the words of what was deleted leave the file, also when a search has learned of it first', async () => {
  await using stage = createStage();
  const chat = stage.addChat('garden');
  const session = stage.session(chat);
  const file = pathsFor(stage.install.root).history;
  const isIn = (word: string) =>
    ['', '-wal'].some((end) => existsSync(`${file}${end}`) && readFileSync(`${file}${end}`).includes(word));
  for (let n = 0; n < 200; n += 1) stage.hears(session, chat, `roses ${n} and ${n * 7}`);
  const id = stage.hears(session, chat, 'zanzibar');
  stage.hears(session, chat, 'the newest');
  await stage.finds('zanzibar', { sessionId: session.id });
  assert.ok(isIn('zanzibar'));
  stage.run('DELETE FROM messages WHERE id = ?', id);
  await stage.finds('zanzibar', { sessionId: session.id });
  stage.history.look(0);
  stage.history.look(3_700_000);
  await until(() => !isIn('zanzibar'));
  assert.equal((await stage.finds('roses', { sessionId: session.id }, { limit: 100 })).length, 100);
});

test('it starts quickly: what was compiled for it is kept, though it is killed at its end', async () => {
  await using stage = createStage();
  const folder = join(stage.install.root, 'cache');
  enableCompileCache(join(folder, 'host'));
  const kept = join(dirname(getCompileCacheDir() ?? ''), 'history');
  await stage.finds('tulips', {});
  await until(() => existsSync(kept) && readdirSync(kept, { recursive: true }).length > 1);
});

test('many at once are all answered', async () => {
  await using stage = createStage();
  const chat = stage.addChat('garden');
  const { id } = stage.session(chat);
  stage.hears(stage.session(chat), chat, 'tulips');
  const found = await Promise.all(Array.from({ length: 20 }, () => stage.finds('tulips', { sessionId: id })));
  assert.ok(found.every(([text]) => text === 'tulips'));
});

test('without a search, the index is brought up to date now and then, if there is anything new', async () => {
  await using stage = createStage();
  const chat = stage.addChat('garden');
  const session = stage.session(chat);
  const gone = stage.hears(session, chat, 'tulips');
  stage.run('DELETE FROM messages WHERE id = ?', gone);
  stage.hears(session, chat, 'roses');
  const pending = () => Number(stage.install.db.prepare('SELECT count(*) AS n FROM history_changes').get()?.n);
  const minute = 60_000;
  stage.history.look(0);
  stage.history.look(59 * minute);
  assert.equal(pending(), 1);
  stage.history.look(61 * minute);
  await until(() => pending() === 0);
  const index = new DatabaseSync(pathsFor(stage.install.root).history, { readOnly: true, timeout: 5_000 });
  assert.equal(index.prepare('SELECT count(*) AS n FROM docs').get()?.n, 1);
  index.close();
});
