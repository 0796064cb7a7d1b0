import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineSockets } from './sockets.ts';

test('what the environment names is the only one; only a socket of this machine will do', () => {
  const at = (DOCKER_HOST: string) => engineSockets({ env: { DOCKER_HOST }, uid: 0, platform: 'linux' });
  assert.deepEqual(at('unix:///tmp/x.sock'), ['/tmp/x.sock']);
  assert.throws(() => at('tcp://10.0.0.1:2375'), { code: 'NC_SANDBOX_UNUSABLE', message: /DOCKER_HOST is tcp/ });
});

test("a user's own engine comes before the system's", () => {
  const env = { XDG_RUNTIME_DIR: '/run/user/1000', HOME: '/Users/ana' };
  const found = engineSockets({ env, uid: 1000, platform: 'linux' });
  assert.deepEqual(found.slice(0, 2), ['/run/user/1000/docker.sock', '/run/user/1000/podman/podman.sock']);
  assert.equal(engineSockets({ env, uid: 0, platform: 'linux' })[0], '/var/run/docker.sock');
  assert.equal(engineSockets({ env, uid: 501, platform: 'darwin' })[0], '/Users/ana/.docker/run/docker.sock');
});
