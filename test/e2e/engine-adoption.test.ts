/** What a killed host left running in an engine, and the next one can or may not go on with. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { containersOf, engineSocket, removeContainers } from '../support/runtime.ts';
import { until } from '../support/until.ts';

const skip = engineSocket('docker') === undefined && 'NANOCLAW_TEST_DOCKER names no socket of an engine';
const WAITS = 'run touch begun; until [ -e go ]; do sleep 0.1; done; echo done >> count; echo it is done';

const at = ({ home }: TestHost, file: string) => join(home, 'groups/andy', file);

/** A turn that waits for a word has begun. */
async function inTurn(host: TestHost): Promise<void> {
  const terminal = await host.terminal();
  terminal.send(WAITS);
  await until(() => existsSync(at(host, 'begun')));
}

describe('a host was killed, and its sandbox lives', { skip }, () => {
  const ids = async ({ home }: TestHost) => (await containersOf(home, 'docker')).map(({ Id }) => Id);

  async function killed(work: (host: TestHost) => Promise<void>, next: (host: TestHost) => Promise<void>) {
    const host = await startHost({ runtime: 'docker' });
    try {
      await work(host);
      await host.end('SIGKILL');
      await next(host);
    } finally {
      await host.end('SIGKILL');
      await removeContainers(host.home, 'docker');
      rmSync(host.home, { recursive: true });
    }
  }

  test('a backup is put back: it ends, since its folders are others, and what comes then is answered', () =>
    killed(
      async (host) => {
        const terminal = await host.terminal();
        await terminal.ask('run echo first');
        assert.equal((await runNcl(host.home, ['backup', join(host.home, 'backup.tar.gz')])).status, 0);
      },
      async (host) => {
        const before = await ids(host);
        assert.equal(before.length, 1);
        assert.equal((await runNcl(host.home, ['restore', join(host.home, 'backup.tar.gz')])).status, 0);
        await using next = await startHost({ runtime: 'docker', home: host.home });
        assert.deepEqual(await ids(host), []);
        const terminal = await next.terminal();
        assert.match((await terminal.ask('run touch here; echo second')).join(), /second/);
        assert.ok(existsSync(at(host, 'here')));
      },
    ));

  test('the setting names no runtime by then: it goes on, and runs alone when that is put right', () =>
    killed(inTurn, async (host) => {
      const before = await ids(host);
      const env = { NANOCLAW_RUNTIME: 'dokcer' };
      await using next = await startHost({ runtime: 'docker', home: host.home, env });
      const terminal = await next.terminal();
      writeFileSync(join(host.home, '.env'), 'NANOCLAW_RUNTIME=docker\n');
      writeFileSync(at(host, 'go'), '');
      await until(() => terminal.said().length > 0);
      assert.deepEqual(terminal.said(), ['it is done\n(exit code 0)']);
      assert.match((await terminal.ask('run echo and on')).join(), /and on/);
      assert.equal(readFileSync(at(host, 'count'), 'utf8'), 'done\n');
      assert.deepEqual(await ids(host), before);
    }));

  test('its provider has no credential by then: what it has said is delivered, and no failure is told', () =>
    killed(inTurn, async (host) => {
      writeFileSync(at(host, 'go'), '');
      await until(() => hasEnded(host.home));
      await using next = await startHost({ runtime: 'docker', home: host.home, provider: 'claude' });
      const terminal = await next.terminal();
      await until(() => terminal.said().length > 0);
      assert.deepEqual(terminal.said(), ['it is done\n(exit code 0)']);
      assert.deepEqual(await ids(host), []);
    }));
});

/** What the agent has noted of its message, while no host reads it. */
function hasEnded(home: string): boolean {
  const [file = ''] = globSync(join(home, 'data/v2-sessions/*/*/box/outbound.db'));
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  try {
    return db.prepare("SELECT 1 FROM processing_ack WHERE status = 'completed'").get() !== undefined;
  } finally {
    db.close();
  }
}
