import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseMade, refuseRuntime } from './oci-runtime.ts';

const docker = { name: 'Docker', runtimes: ['runc', 'runsc'], defaultRuntime: 'runc' } as const;
const podman = { name: 'Podman', runtimes: ['crun', 'runc', 'runsc'], defaultRuntime: '/usr/sbin/runc' } as const;

test('Docker takes one that it has', () => {
  assert.equal(refuseRuntime(docker, undefined), null);
  assert.equal(refuseRuntime(docker, 'runsc'), null);
  assert.match(
    refuseRuntime(docker, 'kata')?.reason ?? '',
    /NANOCLAW_OCI_RUNTIME is "kata"; the engine has runc, runsc\./,
  );
});

test('Podman takes none but its own: what it names it would leave out', () => {
  assert.equal(refuseRuntime(podman, undefined), null);
  assert.equal(refuseRuntime(podman, 'runc'), null);
  assert.equal(refuseRuntime(podman, '/usr/sbin/runc'), null);
  const refused = refuseRuntime(podman, 'crun');
  assert.match(
    refused?.reason ?? '',
    /NANOCLAW_OCI_RUNTIME is "crun", and Podman's API takes none: .* with \/usr\/sbin\/runc\./,
  );
  assert.match(refused?.remedy ?? '', /containers\.conf/);
});

test('a container that has another is refused', () => {
  assert.equal(refuseMade('runc', undefined), null);
  assert.equal(refuseMade('runsc', 'runsc'), null);
  assert.equal(refuseMade('/usr/bin/runsc', 'runsc'), null);
  assert.match(refuseMade('runc', 'runsc') ?? '', /asked for the runtime runsc, and made a container with runc\./);
  assert.match(refuseMade('', 'runsc') ?? '', /does not name/);
});
