import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, refused, refuseVersion, unreachable } from './symptoms.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

test('silence has a reason', () => {
  const cases: [string, RegExp][] = [
    ['ENOENT', /There is no container engine at \/x\.sock/],
    ['ECONNREFUSED', /is not running/],
    ['EACCES', /may not use .*usermod -aG docker/],
    ['ECONNRESET', /went away .*heals by itself/],
    ['EIO', /does not answer: EIO/],
  ];
  for (const [code, sentence] of cases) {
    const error = unreachable('/x.sock', failure(code));
    assert.equal(error.code, 'NC_SANDBOX_ENGINE');
    assert.match(error.message, sentence);
  }
});

test('so has a refusal', () => {
  const cases: [number, string, string][] = [
    [404, 'No such image: nanoclaw-agent-v2-x:latest', 'NC_SANDBOX_IMAGE'],
    [404, 'failed to find image: localhost/x: image not known', 'NC_SANDBOX_IMAGE'],
    [500, 'mkdir /var/lib/docker/overlay2/x: no space left on device', 'NC_DISK_FULL'],
    [400, 'client version 1.47 is too old. Minimum supported API version is 1.60', 'NC_SANDBOX_UNUSABLE'],
    [400, 'unknown or invalid runtime name: runsc', 'NC_SANDBOX_UNUSABLE'],
    [500, 'potentially insufficient UIDs or GIDs available: check /etc/subuid', 'NC_SANDBOX_UNUSABLE'],
    [400, 'bind source path does not exist: /x', 'NC_SANDBOX_START'],
  ];
  for (const [status, message, code] of cases) {
    assert.equal(refused({ status, body: { message } }, 'nanoclaw-agent-v2-x:latest').code, code, message);
  }
});

test('versions are compared as numbers', () => {
  assert.ok(compareVersions('1.9', '1.41') < 0);
  assert.equal(compareVersions('1.41', '1.41'), 0);
  assert.match(refuseVersion('1.40')?.reason ?? '', /too old/);
  assert.equal(refuseVersion('1.52'), null);
});
