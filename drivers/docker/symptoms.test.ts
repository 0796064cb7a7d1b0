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

test("a remedy for Podman's socket is Podman's", () => {
  for (const code of ['ENOENT', 'ECONNREFUSED', 'EACCES', 'EIO']) {
    const { remedy } = unreachable('/run/podman/podman.sock', failure(code)).diagnosis;
    assert.match(remedy, /podman\.socket/);
    assert.doesNotMatch(remedy, /docker/i);
  }
  const message = 'write /var/lib/containers/x: no space left on device';
  const full = (more: object) => refused({ status: 500, body: { message, ...more } }, 'x').diagnosis.remedy;
  assert.match(full({ cause: 'no space left on device', response: 500 }), /`podman system df`.*`podman system prune`/);
  assert.match(full({}), /`docker system df`/);
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

test('an image without its init is named, in whatever words an engine says it', () => {
  for (const [status, message] of [
    [
      400,
      'failed to create shim task: OCI runtime create failed: exec: "/usr/bin/tini": stat /usr/bin/tini: no such file or directory: unknown',
    ],
    [
      404,
      'crun: executable file `/usr/bin/tini` not found: No such file or directory: OCI runtime attempted to invoke a command that was not found',
    ],
  ] as const) {
    const { code, message: said } = refused({ status, body: { message } }, 'debian:bookworm-slim');
    assert.equal(code, 'NC_SANDBOX_UNUSABLE');
    assert.match(
      said,
      /The image debian:bookworm-slim is not one that sandboxes can run in: it has no \/usr\/bin\/tini\. Make one/,
    );
  }
});

test('versions are compared as numbers', () => {
  assert.ok(compareVersions('1.9', '1.41') < 0);
  assert.equal(compareVersions('1.41', '1.41'), 0);
  assert.match(refuseVersion('1.40')?.reason ?? '', /too old/);
  assert.equal(refuseVersion('1.52'), null);
});
