/** nanoclaw.sh: what sandboxes are started with. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { engineSockets } from '../drivers/docker/sockets.ts';
import { ENTER, noPty } from '../test/support/pty.ts';
import { engineSocket, removeContainers, TEST_IMAGE } from '../test/support/runtime.ts';
import { Checkout, systemPath } from './testing/checkout.ts';
import { pathWithoutEngines, startBareEngine } from './testing/engine.ts';

/** Of this machine's own; with one of them it can't look like a machine without. */
const sockets = (['docker', 'podman'] as const).flatMap((engine) =>
  engineSockets({ engine, env: {}, uid: process.getuid?.() ?? 0, platform: process.platform }),
);
const hasEngine = sockets.find((path) => existsSync(path));
const ANSWERS = ['--name', 'Andy', '--provider', 'demo', '--timezone', 'Europe/Berlin'];
const UP = '\u001b[A';

describe('nanoclaw.sh, and an engine that answers', () => {
  test('whose image can not be made: asked for, it fails; picked, bubblewrap takes its place', async () => {
    await using checkout = Checkout.installed();
    const socket = join(checkout.folder, 'engine.sock');
    await using _engine = await startBareEngine(socket);
    const env = { DOCKER_HOST: `unix://${socket}`, NANOCLAW_BASE_IMAGE: 'no such name' };
    const asked = await checkout.setUp(['--yes', '--runtime', 'docker'], env);
    assert.equal(asked.status, 1);
    assert.match(asked.stderr, /✗ runtime[\s\S]+Why: {2}Its image was not made: \S.*no such name/);
    assert.equal(checkout.read('.env'), '');

    const picked = await checkout.setUp(['--yes', '--message', 'run cat /proc/1/comm'], env);
    assert.equal(picked.status, 0, picked.stderr);
    assert.match(picked.stdout, /bwrap/);
    assert.match(picked.stderr, /! image +\S+ s {2}not made: .*no such name.*All of it is in logs\/image\.log/);
    assert.match(picked.stderr, /✓ runtime +\S+ s {2}bubblewrap: the image for docker was not made; later: bin\/ncl/);
    assert.equal(checkout.read('.env'), 'NANOCLAW_RUNTIME=bubblewrap\n');
  });

  const engine = engineSocket('docker') === undefined ? 'podman' : 'docker';
  const real = engineSocket(engine);
  const skip = real === undefined && 'neither NANOCLAW_TEST_DOCKER nor NANOCLAW_TEST_PODMAN names a socket';
  test('it is picked, used and written down; later what is set stays', { skip }, async () => {
    await using checkout = Checkout.installed();
    const address = { [engine === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${real}` };
    try {
      const message = ['--yes', '--message', 'run cat /proc/1/comm'];
      const first = await checkout.setUp(message, { ...address, NANOCLAW_IMAGE: TEST_IMAGE });
      assert.equal(first.status, 0, first.stderr);
      assert.match(first.stdout, /tini/);
      assert.match(first.stderr, new RegExp(`✓ runtime +\\S+ s {2}${engine}: .*; it answers, and can be used`));
      const second = await checkout.setUp(message);
      assert.match(second.stdout, /tini/, second.stderr);
      assert.doesNotMatch(second.stderr, /✓ runtime /);
      const doctor = await checkout.run(['bin/ncl', 'doctor']);
      assert.match(doctor.stdout, new RegExp(`sandbox +${engine} starts sandboxes here: .*, image ${TEST_IMAGE}\\.`));
    } finally {
      await checkout.run(['bin/ncl', 'stop', '--force']);
      await removeContainers(checkout.root, engine);
    }
  });
});

describe('nanoclaw.sh, where there is no engine', () => {
  const skip = noPty || (hasEngine === undefined ? false : `there is an engine at ${hasEngine}`);
  test('one is offered on a terminal, with its command; Enter alone is no', { skip }, async () => {
    await using checkout = Checkout.installed();
    const told = join(checkout.folder, 'told');
    const env = { PATH: pathWithoutEngines(checkout.folder, told), DOCKER_HOST: '', CONTAINER_HOST: '' };
    {
      await using pty = checkout.sitDown(ANSWERS, env);
      await pty.seen(/No container engine is installed\.[\s\S]*apt-get install -y docker\.io/);
      await pty.seen(/● No/);
      pty.type(ENTER);
      await pty.seen(/✓ runtime +\S+ s {2}bubblewrap: there is no container engine/);
    }
    assert.equal(existsSync(told), false);
    await checkout.run(['rm', '-rf', '.env', 'data']);
    await using pty = checkout.sitDown(ANSWERS, env);
    await pty.seen(/● No/);
    pty.type(`${UP}${ENTER}`);
    await pty.seen(/\$ (sudo )?apt-get install -y docker\.io/);
    await pty.seen(/✓ runtime +\S+ s {2}bubblewrap: there is no container engine/);
    assert.equal((await checkout.run(['cat', told])).stdout, 'update\ninstall -y docker.io\n');
  });
});

test('on macOS it says that an engine is needed, or that this version is for Linux', async () => {
  await using checkout = new Checkout();
  const program = (name: string, script: string) =>
    writeFileSync(join(checkout.folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  program('uname', 'echo Darwin');
  for (const [status, sentence] of [
    [1, /it needs a container engine, and none answers\./],
    [0, /A container engine answers, but this version's host runs on Linux alone\./],
  ] as const) {
    program('docker', `exit ${status}`);
    program('podman', `exit ${status}`);
    const ran = await checkout.setUp(['--yes'], { PATH: [checkout.folder, systemPath()].join(delimiter) });
    assert.equal(ran.status, 1);
    assert.match(ran.stderr, sentence);
  }
});
