import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLine, startEngines, withEngines } from './engines.ts';
import type { Stage } from './stages.ts';

const STAGE: Stage = { name: 's', command: ['node', '--test'], kind: 'node', deadlineMinutes: 1, env: { A: 'own' } };

test('what the script says is read, and what it does not mean to say is not', () => {
  assert.deepEqual(readLine('env NANOCLAW_TEST_DOCKER=/tmp/x y/docker.sock'), {
    type: 'env',
    name: 'NANOCLAW_TEST_DOCKER',
    value: '/tmp/x y/docker.sock',
  });
  assert.deepEqual(readLine('none no root'), { type: 'none', reason: 'no root' });
  assert.deepEqual(readLine('network /proc/1/ns/net'), { type: 'network', file: '/proc/1/ns/net' });
  assert.deepEqual(readLine('ready'), { type: 'ready' });
  assert.deepEqual(readLine('env lower=x'), { type: 'other' });
});

test('a stage runs in the network of the engines, and its own environment goes before theirs', () => {
  const found = { env: { A: 'theirs', B: 'theirs' }, network: '/proc/1/ns/net', missing: [] };
  const { command, env } = withEngines(STAGE, found);
  assert.deepEqual(command, ['nsenter', '--net=/proc/1/ns/net', '--', 'node', '--test']);
  assert.deepEqual(env, { A: 'own', B: 'theirs' });
  assert.deepEqual(withEngines(STAGE, { env: {}, network: undefined, missing: ['none'] }).command, STAGE.command);
});

test('engines that somebody names are used, and none is started', async () => {
  const engines = startEngines('/nowhere', { NANOCLAW_TEST_PODMAN: '/tmp/p.sock', OTHER: 'x' }, true);
  assert.deepEqual(await engines.ready(), {
    env: { NANOCLAW_TEST_PODMAN: '/tmp/p.sock' },
    network: undefined,
    missing: [],
  });
  await engines.end();
});
