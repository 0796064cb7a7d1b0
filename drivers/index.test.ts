import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createDriver } from './index.ts';

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
  const mark = join(stateDir, 'drivers/podman');
  mkdirSync(join(stateDir, 'drivers'));
  writeFileSync(mark, '');
  const env = () => ({ NANOCLAW_RUNTIME: 'bubblewrap', CONTAINER_HOST: 'unix:///nowhere/podman.sock' });
  const driver = createDriver({ slug: 'none', stateDir, env, log: () => undefined });
  await driver.sweep();
  assert.ok(existsSync(mark));
  utimesSync(mark, 0, 0);
  await driver.sweep();
  assert.ok(!existsSync(mark));
});
