import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { test } from 'node:test';
import { Install } from '../../setup/service/testing/install.ts';
import { until } from '../support/until.ts';

const skip = process.platform === 'linux' ? false : 'our own supervisor is for Linux';

test('a supervisor that was killed is missed: with its host, and without', { skip }, async () => {
  await using at = new Install();
  await at.ncl('service', 'install');
  const supervisor = Number(readFileSync(join(at.home, 'data/service/supervisor.pid'), 'utf8').split(' ')[0]);
  const pid = await at.pid();
  kill(supervisor, 'SIGKILL');
  await until(async () => /own supervisor, which is gone/.test((await at.ncl('status')).stdout));
  assert.match((await at.ncl('start')).stderr, /Its service does not look after it: a host runs outside of it/);
  kill(pid, 'SIGKILL');
  await until(async () => /ended without being asked to/.test((await at.ncl('service', 'status')).stdout));
  assert.equal((await at.ncl('start')).status, 0);
  assert.equal((await at.ncl('service', 'status')).status, 0);
});

test('a service is not installed over a host that hangs', { skip }, async () => {
  await using at = new Install();
  await at.ncl('start');
  const pid = await at.pid();
  kill(pid, 'SIGSTOP');
  try {
    const { status, stderr } = await at.ncl('service', 'install');
    assert.match(stderr, /^The host runs but does not answer/);
    assert.equal(status, 1);
  } finally {
    kill(pid, 'SIGCONT');
  }
  assert.match((await at.ncl('service', 'status')).stdout, /No service is installed/);
});
