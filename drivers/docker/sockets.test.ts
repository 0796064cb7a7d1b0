import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineSockets } from './sockets.ts';

test('what the environment names is the only one; only a socket of this machine will do', () => {
  const at = (DOCKER_HOST: string) =>
    engineSockets({ engine: 'docker', env: { DOCKER_HOST }, uid: 0, platform: 'linux' });
  assert.deepEqual(at('unix:///tmp/x.sock'), ['/tmp/x.sock']);
  assert.throws(() => at('/tmp/x.sock'), { message: /unix:\/\/ is missing.*Set it to unix:\/\/\/tmp\/x\.sock/ });
  assert.throws(() => at('tcp://10.0.0.1:2375'), { code: 'NC_SANDBOX_UNUSABLE', message: /DOCKER_HOST is tcp/ });
});

test("a user's own engine comes before the system's", () => {
  const env = { XDG_RUNTIME_DIR: '/run/user/1000', HOME: '/Users/ana' };
  const at = (engine: 'docker' | 'podman', uid: number, platform = 'linux') =>
    engineSockets({ engine, env, uid, platform });
  assert.deepEqual(at('docker', 1000), ['/run/user/1000/docker.sock', '/var/run/docker.sock']);
  assert.deepEqual(at('podman', 1000), ['/run/user/1000/podman/podman.sock', '/run/podman/podman.sock']);
  assert.deepEqual(at('docker', 0), ['/var/run/docker.sock']);
  assert.equal(at('docker', 501, 'darwin')[0], '/Users/ana/.docker/run/docker.sock');
});

test("podman's own variable names its socket", () => {
  const env = { DOCKER_HOST: 'unix:///tmp/d.sock', CONTAINER_HOST: 'unix:///tmp/p.sock' };
  assert.deepEqual(engineSockets({ engine: 'podman', env, uid: 0, platform: 'linux' }), ['/tmp/p.sock']);
});
