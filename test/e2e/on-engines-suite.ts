/** A short part of what is shown with bubblewrap, on each engine: all of it is `npm run test:on -- docker` and `podman`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createMessagesApi, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { startHost } from '../support/host-process.ts';
import { containersOf, engineSocket } from '../support/runtime.ts';
import { killSandbox, sandboxProcesses, searchSandbox } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';

export function onEngineSuite(runtime: 'docker' | 'podman'): void {
  const skip =
    engineSocket(runtime) === undefined && `NANOCLAW_TEST_${runtime.toUpperCase()} names no socket of an engine`;
  describe(runtime, { skip, concurrency: 2 }, () => {
    test('a message is answered, a command runs inside, and the next host goes on with the container of a killed one', async () => {
      const first = await startHost({ runtime });
      const terminal = await first.terminal();
      const [ran = ''] = await terminal.ask('run id -u; pwd; ls /workspace/extra; touch /usr/x');
      assert.match(ran, /^[1-9]\d+\n\/workspace\/agent\n/);
      assert.match(ran, /Read-only file system/);
      await terminal.ask('write notes.txt: buy milk');
      const [container] = await containersOf(first.home, runtime);
      first.process.kill('SIGKILL');
      await once(first.process, 'exit');
      const second = await startHost({ runtime, home: first.home });
      try {
        const [read = ''] = await (await second.terminal()).ask('read notes.txt');
        assert.match(read, /buy milk/);
        assert.deepEqual(
          (await containersOf(first.home, runtime)).map(({ Id }) => Id),
          [container?.Id],
        );
        await second.end();
        assert.deepEqual(await containersOf(first.home, runtime), []);
      } finally {
        await second[Symbol.asyncDispose]();
        await first[Symbol.asyncDispose]();
      }
    });

    test('claude: a tool runs inside, the key is not there; killed in a tool, the message is tried again and answered once', async () => {
      const api = await createMessagesApi();
      await using host = await startHost({
        runtime,
        provider: 'claude',
        env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url },
        environment: { NANOCLAW_RETRY_MS: '300' },
      });
      const terminal = await host.terminal();
      const box = () => {
        const sessions = join(host.home, 'data/v2-sessions');
        const [agent = ''] = readdirSync(sessions);
        const [session = ''] = readdirSync(join(sessions, agent));
        return join(sessions, agent, session, 'box');
      };
      const at = (name: string) => join(host.home, 'groups/andy', name);
      api.script(message(tool('Bash', { command: 'echo found > result.txt' })), say('Done: found.'));
      assert.deepEqual(await terminal.ask('look'), ['Done: found.']);
      assert.equal(readFileSync(at('result.txt'), 'utf8'), 'found\n');
      const pids = sandboxProcesses(box());
      assert.ok(pids.length >= 2, `runner and harness live: ${pids}`);
      assert.deepEqual(searchSandbox(pids, TEST_KEY), []);

      api.script(message(tool('Bash', { command: 'touch begun; sleep 50' })), say('Alive.'));
      const id = terminal.send('again');
      await until(() => existsSync(at('begun')));
      killSandbox(box());
      await until(() => terminal.outcome(id) !== undefined);
      assert.equal(terminal.outcome(id), 'reply');
      const said = terminal.said();
      assert.equal(said.filter((text) => text.startsWith('⚠️')).length, 1, said.join('\n'));
      assert.equal(said.filter((text) => text === 'Alive.').length, 1, said.join('\n'));
      await api.close();
    });
  });
}
