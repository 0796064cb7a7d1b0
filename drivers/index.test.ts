import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createDriver } from './index.ts';
import { createMarks, keyOf } from './marks.ts';

test('a setting that names no driver does not end the host when the image is looked at again', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nanoclaw-driver-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let runtime = 'docker';
  let looks = 0;
  const env = () => {
    if (runtime !== 'docker') looks++;
    return { NANOCLAW_RUNTIME: runtime, DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  };
  const driver = createDriver({ slug: 'none', stateDir, env, log: () => undefined });
  await assert.rejects(driver.adopt(), /There is no container engine at \/nowhere/);
  runtime = 'dokcer';
  while (looks === 0) {
    await turn();
    t.mock.timers.tick(60_000);
  }
});

test('an engine that is away is looked for until the machine was started again', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nanoclaw-driver-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  const where = { name: 'podman', address: 'unix:///nowhere/podman.sock' } as const;
  createMarks(join(stateDir, 'drivers')).write(where);
  const mark = join(stateDir, 'drivers', keyOf(where));
  const driver = createDriver({
    slug: 'none',
    stateDir,
    env: () => ({ NANOCLAW_RUNTIME: 'bubblewrap' }),
    log: () => undefined,
  });
  await driver.sweep();
  assert.ok(existsSync(mark));
  utimesSync(mark, 0, 0);
  await driver.sweep();
  assert.ok(!existsSync(mark));
});

test('what was started in an engine is looked for there, whichever is named by now', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'nanoclaw-driver-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  let DOCKER_HOST = 'unix:///nowhere/one.sock';
  const looked: unknown[] = [];
  const make = () =>
    createDriver({
      slug: 'none',
      stateDir,
      env: () => ({ NANOCLAW_RUNTIME: 'docker', NANOCLAW_IMAGE: 'theirs', DOCKER_HOST }),
      log: (_message, fields) => looked.push(fields?.at),
    });
  const limits = { memoryBytes: 1, cpus: 1, pids: 1, fileSizeBytes: 1 };
  const spec = {
    sessionId: 's',
    uid: 1000,
    command: ['/bin/true'],
    env: {},
    mounts: [],
    limits,
    logFile: '/nowhere/log',
  };
  await assert.rejects(make().start(spec), /at \/nowhere\/one\.sock/);
  DOCKER_HOST = 'unix:///nowhere/two.sock';
  await assert.rejects(make().adopt(), /at \/nowhere\/two\.sock/);
  assert.ok(looked.includes('unix:///nowhere/one.sock'));
});
