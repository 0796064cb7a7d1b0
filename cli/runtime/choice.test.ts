import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleSetting, linesFor, outvoted, readChoice, type Settings } from './choice.ts';

test('what is set is found where a host finds it', () => {
  const rows: [file: Settings, environment: Settings, platform: NodeJS.Platform, name: string, since: string][] = [
    [{}, {}, 'linux', 'bubblewrap', 'default'],
    [{}, {}, 'darwin', 'docker', 'default'],
    [{}, { NANOCLAW_RUNTIME: 'podman' }, 'linux', 'podman', 'environment'],
    [{ NANOCLAW_RUNTIME: 'docker' }, { NANOCLAW_RUNTIME: 'podman' }, 'linux', 'docker', '.env'],
    [{}, { NANOCLAW_RUNTIME: '' }, 'linux', 'bubblewrap', 'default'],
  ];
  for (const [file, environment, platform, name, since] of rows) {
    const choice = readChoice(file, environment, platform);
    assert.deepEqual([choice.name, choice.since, choice.problem], [name, since, undefined]);
  }
});

test('a name that is none is a problem, and not the default in silence', () => {
  for (const written of ['dokcer', 'Docker', 'toString', ' docker']) {
    const { name, problem } = readChoice({ NANOCLAW_RUNTIME: written }, {}, 'linux');
    assert.equal(name, undefined);
    assert.match(problem ?? '', /there are bubblewrap, docker, podman\./);
  }
});

test('what was tried is written along, where .env does not say it already', () => {
  const shell = { DOCKER_HOST: 'unix:///a', CONTAINER_HOST: 'unix:///b', NANOCLAW_IMAGE: 'own', HOME: '/root' };
  assert.deepEqual(linesFor('bubblewrap', {}, shell), { NANOCLAW_RUNTIME: 'bubblewrap' });
  assert.deepEqual(linesFor('docker', {}, shell), {
    NANOCLAW_RUNTIME: 'docker',
    DOCKER_HOST: 'unix:///a',
    NANOCLAW_IMAGE: 'own',
  });
  assert.deepEqual(linesFor('podman', { NANOCLAW_IMAGE: 'theirs' }, shell), {
    NANOCLAW_RUNTIME: 'podman',
    CONTAINER_HOST: 'unix:///b',
  });
});

test('an OCI runtime that bubblewrap would leave out is named', () => {
  assert.equal(idleSetting('bubblewrap', { NANOCLAW_OCI_RUNTIME: 'runsc' }), 'NANOCLAW_OCI_RUNTIME');
  assert.equal(idleSetting('docker', { NANOCLAW_OCI_RUNTIME: 'runsc' }), undefined);
  assert.equal(idleSetting('bubblewrap', {}), undefined);
});

test('what this shell says otherwise than .env is found, where it matters', () => {
  const file = { DOCKER_HOST: 'unix:///a', NANOCLAW_IMAGE: 'own', NANOCLAW_RUNTIME: 'bubblewrap' };
  const shell = {
    DOCKER_HOST: 'unix:///b',
    CONTAINER_HOST: 'unix:///c',
    NANOCLAW_IMAGE: 'own',
    NANOCLAW_RUNTIME: 'docker',
  };
  const lost = [{ setting: 'DOCKER_HOST', used: 'unix:///a', unused: 'unix:///b' }];
  assert.deepEqual(outvoted('docker', file, shell), lost);
  assert.deepEqual(outvoted('podman', file, shell), []);
  assert.deepEqual(outvoted('bubblewrap', file, shell), []);
});
