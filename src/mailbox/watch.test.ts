import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { heartbeatTime } from './heartbeat.ts';
import { createBoxes, openBox, say } from './test-boxes.ts';
import { createMailboxWatch } from './watch.ts';

const boxes = createBoxes();
after(() => boxes.remove());

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'in time');
    await pause(1);
  }
}

test('each commit is noticed, also one that a file time can not tell from the one before', async (t) => {
  const watch = createMailboxWatch();
  t.after(() => watch.stop());
  const box = boxes.make();
  const times: number[] = [];
  let calls = 0;
  watch.add('s1', box, () => calls++);
  const db = openBox(box);
  await until(() => calls >= 2);
  for (let seq = 1; seq < 60; seq += 2) {
    const before = calls;
    const start = performance.now();
    say(db, `m${seq}`, seq);
    await until(() => calls > before);
    times.push(performance.now() - start);
    await until(() => calls >= before + 2);
  }
  db.close();
  times.sort((one, other) => one - other);
  t.diagnostic(`noticed after p50 ${times[15]?.toFixed(1)} ms, p95 ${times[28]?.toFixed(1)} ms`);
});

test('nothing is reported while a commit is under way, nor when nothing happens', async (t) => {
  const watch = createMailboxWatch();
  t.after(() => watch.stop());
  const [box, beside] = [boxes.make(), boxes.make()];
  const db = openBox(box);
  openBox(beside).close();
  const calls = { box: 0, beside: 0 };
  watch.add('box', box, () => calls.box++);
  watch.add('beside', beside, () => calls.beside++);
  await until(() => calls.box === 2 && calls.beside === 2);
  db.exec('PRAGMA cache_size = 4; BEGIN IMMEDIATE');
  for (let seq = 1; seq < 400; seq += 2) say(db, `m${seq}`, seq, `{"text":"${'x'.repeat(500)}"}`);
  // A commit in another box shows that looks were taken since.
  const looks = calls.beside;
  const other = openBox(beside);
  say(other, 'm1', 1);
  other.close();
  await until(() => calls.beside === looks + 2);
  assert.equal(calls.box, 2);
  db.exec('COMMIT');
  await until(() => calls.box === 4);
  db.close();
});

test('a removed session is not reported; the timer ends with the last one', async () => {
  const watch = createMailboxWatch();
  const box = boxes.make();
  let calls = 0;
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  watch.touch('unknown');
  assert.equal(timers(), before, 'nothing is watched, so nothing runs');
  const db = openBox(box);
  watch.add('s1', box, () => {
    calls++;
    watch.remove('s1');
  });
  await until(() => calls === 1);
  assert.equal(timers(), before);
  say(db, 'm1', 1);
  db.close();
  watch.add('s2', box, () => {});
  watch.stop();
  assert.equal(timers(), before);
  assert.equal(calls, 1);
});

test('what an agent can make of its box does not disturb the watch', async (t) => {
  const watch = createMailboxWatch();
  t.after(() => watch.stop());
  const box = boxes.make();
  let calls = 0;
  const file = join(box, 'outbound.db');
  const next = async (make: () => void) => {
    const before = calls;
    rmSync(file, { recursive: true, force: true });
    await until(() => calls > before);
    make();
    await until(() => calls > before + 1);
  };
  writeFileSync(file, '');
  watch.add('s1', box, () => calls++);
  await until(() => calls > 0);
  await next(() => symlinkSync(file, file));
  await next(() => mkdirSync(file));
  await next(() => symlinkSync('/proc/self/mem', file));
});

test('a file that is gone, or another one, is told once; one that comes, changes or grows is not lost', async (t) => {
  const watch = createMailboxWatch();
  t.after(() => watch.stop());
  const lost = { deleted: 0, replaced: 0, kept: 0, emptied: 0, gone: 0 };
  const files = Object.keys(lost).map((name) => {
    const box = boxes.make();
    watch.add(
      name,
      box,
      () => {},
      () => lost[name as keyof typeof lost]++,
    );
    const db = openBox(box);
    say(db, 'm1', 1);
    db.close();
    return join(box, 'outbound.db');
  });
  const [deleted = '', replaced = '', kept = '', emptied = '', gone = ''] = files;
  // Each has been seen as it was, when a later one is reported.
  await pause(100);
  rmSync(deleted);
  copyFileSync(replaced, `${replaced}.new`);
  renameSync(`${replaced}.new`, replaced);
  truncateSync(emptied, 0);
  rmSync(dirname(gone), { recursive: true });
  const db = openBox(dirname(kept));
  for (let seq = 3; seq < 20; seq += 2) say(db, `m${seq}`, seq);
  db.close();
  await until(() => lost.deleted + lost.replaced + lost.emptied + lost.gone === 4);
  await pause(300);
  assert.deepEqual(lost, { deleted: 1, replaced: 1, kept: 0, emptied: 1, gone: 1 });
});

test('a journal that stays is a commit that does not end', async (t) => {
  const watch = createMailboxWatch({ stuckAfterMs: 300 });
  t.after(() => watch.stop());
  const box = boxes.make();
  openBox(box).close();
  writeFileSync(join(box, 'outbound.db-journal'), 'x');
  const start = performance.now();
  let lostAfter = 0;
  const onLost = () => {
    lostAfter = performance.now() - start;
  };
  watch.add('s1', box, () => assert.fail('nothing can be read'), onLost);
  await until(() => lostAfter > 0);
  assert.ok(lostAfter > 300, `${lostAfter}`);
});

test('a heartbeat has a time; a link or none has not', () => {
  const box = boxes.make();
  const file = join(box, '.heartbeat');
  assert.equal(heartbeatTime(box), null);
  writeFileSync(file, '');
  assert.ok(Math.abs((heartbeatTime(box) ?? 0) - Date.now()) < 60_000);
  rmSync(file);
  symlinkSync('/etc/hostname', file);
  assert.equal(heartbeatTime(box), null);
});
