/** `ncl runtime use` in the middle of a conversation. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DriverName } from '../../drivers/names.ts';
import { startHost, type Terminal, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { containersOf, engineSocket, removeContainers, skipOn, TEST_IMAGE } from '../support/runtime.ts';
import { until } from '../support/until.ts';

/** What reaps in the sandbox says which runtime made it. */
const FIRST_PROCESS = { bubblewrap: 'bwrap', docker: 'tini', podman: 'tini' } as const;

async function isIn(terminal: Terminal, runtime: DriverName): Promise<void> {
  const [said] = await terminal.ask('run cat /proc/1/comm');
  assert.match(said ?? '', new RegExp(FIRST_PROCESS[runtime]), runtime);
}

async function choose(host: TestHost, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(host.home, ['runtime', 'use', ...words]);
  assert.equal(status, 0, stderr);
  return stdout;
}

async function endSandbox(host: TestHost): Promise<void> {
  assert.match((await runNcl(host.home, ['groups', 'restart', 'Andy'])).stdout, /Restarted: 1 sandbox/);
}

for (const engine of ['docker', 'podman'] as const) {
  const socket = engineSocket(engine);
  const skip = skipOn(engine);

  test(`a conversation moves from bubblewrap to ${engine} and back, and nothing of it is lost`, { skip }, async () => {
    const address = { [engine === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${socket}` };
    await using host = await startHost({ runtime: 'bubblewrap', env: { ...address, NANOCLAW_IMAGE: TEST_IMAGE } });
    try {
      const terminal = await host.terminal();
      await terminal.ask('remember the cat is called Miez');
      await isIn(terminal, 'bubblewrap');

      const slow = terminal.ask('run until [ -e go ]; do sleep 0.1; done; echo still here');
      const said = await choose(host, engine);
      assert.match(said, new RegExp(`Sandboxes start in ${engine} from now on: \\S+ .*, image ${TEST_IMAGE}\\.`));
      assert.match(said, /1 sandbox runs on where it is, and moves at its next start/);
      writeFileSync(join(host.home, 'groups/andy/go'), '');
      assert.match((await slow).join(), /still here/);
      await isIn(terminal, 'bubblewrap');

      await endSandbox(host);
      await isIn(terminal, engine);
      assert.match((await terminal.ask('what do you remember?'))[0] ?? '', /Miez/);
      assert.equal((await containersOf(host.home, engine)).length, 1);

      await choose(host, 'bubblewrap');
      await isIn(terminal, engine);
      await endSandbox(host);
      await isIn(terminal, 'bubblewrap');
      assert.match((await terminal.ask('what do you remember?'))[0] ?? '', /Miez/);
      assert.deepEqual(await containersOf(host.home, engine), []);
    } finally {
      await removeContainers(host.home, engine);
    }
  });
}

describe('a runtime that can not be used, on a running host', () => {
  test('is refused with what to do, and nothing changes; by force it is written, the chat is told, and it heals', async () => {
    await using host = await startHost({ runtime: 'bubblewrap', env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    const terminal = await host.terminal();
    await isIn(terminal, 'bubblewrap');
    const file = join(host.home, '.env');
    const before = readFileSync(file, 'utf8');

    const refused = await runNcl(host.home, ['runtime', 'use', 'docker']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /docker can't start sandboxes here\. There is no container engine at \/nowhere/);
    assert.match(refused.stderr, /Nothing was changed; --force/);
    assert.equal(readFileSync(file, 'utf8'), before);

    assert.match(await choose(host, 'docker', '--force'), /But none can be started now: There is no container engine/);
    assert.equal(readFileSync(file, 'utf8'), `${before}NANOCLAW_RUNTIME=docker\n`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await isIn(terminal, 'bubblewrap');
    await endSandbox(host);
    const waiting = terminal.ask('run echo held, and done');
    await until(() =>
      terminal.said().some((text) => /container engine on this machine can't be reached\. I'll try again/.test(text)),
    );
    const why = /No sandbox can be started now: There is no container engine at \/nowhere/;
    assert.match((await runNcl(host.home, ['status'])).stdout, why);
    await choose(host, 'bubblewrap');
    assert.match((await waiting).join(), /held, and done/);
    assert.doesNotMatch((await runNcl(host.home, ['status'])).stdout, /No sandbox can be started/);
  });

  test('a name that is none: chat, status, doctor and the list say so, and the command puts it right', async () => {
    await using host = await startHost({ env: { NANOCLAW_RUNTIME: 'dokcer' } });
    const terminal = await host.terminal();
    assert.match(
      (await terminal.ask('run echo hello')).join(),
      /No sandbox can be started on this machine as it is set up\. It was the setting NANOCLAW_RUNTIME\./,
    );
    assert.match((await runNcl(host.home, ['status'])).stdout, /^sandbox +dokcer/m);
    assert.match((await runNcl(host.home, ['start'])).stderr, /can be started now: NANOCLAW_RUNTIME is "dokcer"/);
    const doctor = await runNcl(host.home, ['doctor']);
    assert.equal(doctor.status, 1);
    assert.match(doctor.stdout, /FAIL {2}sandbox +NANOCLAW_RUNTIME is "dokcer"; there are .*\n +→ .*ncl runtime use/);
    const list = await runNcl(host.home, ['runtime']);
    assert.equal(list.status, 1);
    assert.match(list.stdout, /None is in use, by NANOCLAW_RUNTIME in \.env: NANOCLAW_RUNTIME is "dokcer"/);
    assert.equal((await runNcl(host.home, ['runtime', 'use', 'dokcer'])).status, 2);
    assert.match(await choose(host, 'bubblewrap'), /Sandboxes start in bubblewrap from now on/);
    assert.match((await terminal.ask('run echo hello')).join(), /hello/);
  });
});
