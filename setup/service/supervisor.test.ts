import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { test } from 'node:test';
import { until } from '../../test/support/until.ts';
import { Install } from './testing/install.ts';

/** Our own supervisor with real hosts, from install to uninstall. */

const skip = process.platform === 'linux' ? false : 'our own supervisor is for Linux';
const DEADLINE_MS = 60_000;

test('a host that is killed comes back, and the next message is answered with no hand on the machine', {
  skip,
}, async () => {
  await using at = new Install();
  const installed = await at.json('service', 'install');
  assert.deepEqual([installed.changed, installed.kind], [true, 'own supervisor'], JSON.stringify(installed));
  assert.match((await at.ncl('chat', 'run echo before')).stdout, /before/);

  for (const [index, word] of ['once', 'twice'].entries()) {
    const killed = await at.pid();
    kill(killed, 'SIGKILL');
    // Sent into the gap: it waits for the host that its service starts.
    const { stdout, stderr } = await at.ncl('chat', `run echo ${word}`);
    assert.match(stdout, new RegExp(word), stderr);
    assert.notEqual(await at.pid(), killed);
    assert.equal(at.log().match(/host ended with signal 9/g)?.length, index + 1);
  }
  const status = await at.ncl('service', 'status');
  assert.equal(status.status, 0, status.stdout);
  assert.match(status.stdout, /the host runs/);
  assert.match((await at.ncl('status')).stdout, /service +own supervisor/);
});

test('a crash loop slows down, says so, and heals; a stop holds; nothing is left', { skip }, async () => {
  await using at = new Install();
  await at.ncl('service', 'install');
  await at.ncl('stop');
  const database = join(at.home, 'data/v2.db');
  renameSync(database, `${database}.good`);
  for (const rest of ['-wal', '-shm'])
    if (existsSync(database + rest)) renameSync(database + rest, `${database}.good${rest}`);
  writeFileSync(database, 'not a database\n'.repeat(400));

  const refused = await at.ncl('start');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /goes on trying[\s\S]*damaged/);
  const starts = () => at.log().match(/host started/g)?.length ?? 0;
  const before = starts();
  await until(() => starts() >= before + 2, DEADLINE_MS);
  const looked = await at.ncl('service', 'status');
  assert.equal(looked.status, 1);
  assert.match(looked.stdout, /the next start is in \d+ s, after \d starts/);
  assert.match((await at.ncl('doctor')).stdout, /note {2}service +own supervisor: the next start/);
  // With such a database no lease holds off a start in the middle of it.
  const restored = await at.ncl('restore', 'any.tar');
  assert.equal(restored.status, 1);
  assert.match(restored.stderr, /its service.*own supervisor.* is about to start it/is);

  renameSync(`${database}.good`, database);
  for (const rest of ['-wal', '-shm'])
    if (existsSync(`${database}.good${rest}`)) renameSync(`${database}.good${rest}`, database + rest);
  await until(async () => (await at.pid()) > 0, DEADLINE_MS);

  const count = starts();
  assert.match((await at.ncl('stop')).stdout, /The host has stopped/);
  assert.equal((await at.json('service', 'status')).state, 'stopped: `ncl start`');
  assert.equal(starts(), count);
  assert.match(at.log(), /stays stopped\n\S+ supervisor \d+ ends\n$/);

  assert.match((await at.ncl('start')).stdout, /The host is running/);
  assert.match((await at.ncl('start', '--foreground')).stderr, /Another host already runs/);
  assert.match((await at.ncl('service', 'uninstall')).stdout, /is uninstalled[\s\S]*The host is stopped/);
  assert.deepEqual([existsSync(join(at.home, 'data/service')), at.read('crontab')], [false, '']);
  assert.match((await at.ncl('service', 'uninstall')).stdout, /No service is installed/);
});

test('installing again changes nothing; two supervisors never run; an edited file is kept', { skip }, async () => {
  await using at = new Install();
  await at.ncl('start');
  const outside = await at.pid();
  const first = await at.ncl('service', 'install');
  assert.match(first.stdout, /The host that ran was ended, and started again inside of it/);
  const pid = await at.pid();
  assert.notEqual(pid, outside);
  const file = join(
    at.home,
    'data/service',
    readdirSync(join(at.home, 'data/service')).find((name) => name.endsWith('.sh')) ?? '',
  );
  assert.match(
    at.read('crontab'),
    /^@reboot \/bin\/sh '.*100\\% "home"\/data\/service\/nanoclaw-v2-[0-9a-f]{8}\.sh' # nanoclaw-v2-/,
  );
  assert.match((await at.ncl('service', 'status')).stdout, /survives a reboot +yes: cron starts it/);

  const again = await at.ncl('service', 'install');
  assert.match(again.stdout, /was installed already: nothing is changed/);
  assert.equal(await at.pid(), pid);

  // As cron would, while it runs.
  const second = await at.run('/bin/sh', file);
  assert.equal(second.status, 3);
  assert.match(at.log(), /another supervisor of this install is at work/);
  assert.equal(await at.pid(), pid);

  appendFileSync(file, '# mine\n');
  assert.match((await at.ncl('service', 'status')).stdout, /edited by hand/);
  const refused = await at.ncl('service', 'uninstall');
  assert.deepEqual([refused.status, existsSync(file)], [1, true]);
  assert.match(refused.stderr, /was edited by hand, and stays as it is/);
  assert.equal(await at.pid(), pid, 'a refusal stops nothing');

  const { notes } = await at.json('service', 'install');
  const aside = /kept as (.*)\.$/.exec(String(Array.isArray(notes) ? notes[0] : ''))?.[1] ?? '';
  assert.match(aside, /\.sh\.edited-\d{8}T\d{6}Z$/);
  assert.match(readFileSync(aside, 'utf8'), /# mine\n$/);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /# mine/);

  writeFileSync(file, '#!/bin/sh\necho of somebody else\n');
  const foreign = await at.ncl('service', 'install');
  assert.match(foreign.stderr, /was not made for this install, and stays as it is/);
  for (const words of [['status'], ['uninstall', '--force']]) {
    const { status, stderr } = await at.ncl('service', ...words);
    assert.deepEqual([status, stderr], [1, foreign.stderr], words.join(' '));
  }
  assert.match(readFileSync(file, 'utf8'), /of somebody else/);
  // So that the supervisor that still runs is found again, and ends.
  renameSync(aside, file);
});
