import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createMessagesApi, type MessagesApi, message, say, text, tool } from '../fakes/messages-api/index.ts';
import { startHost, type TestHost } from '../support/host-process.ts';

/** Real host, real engine, real harness, and no socket that it could use: the model is reached by network alone. */

const KEY = ['sk-ant-api03-', 'by-way-of-the-network'].join('');
const skip = process.env.NANOCLAW_TEST_DOCKER === undefined && 'NANOCLAW_TEST_DOCKER names no socket of an engine';

describe('a conversation where no Unix socket crosses', { skip, timeout: 120_000 }, () => {
  let api: MessagesApi;
  let host: TestHost;
  before(async () => {
    api = await createMessagesApi({ keys: { apiKey: KEY } });
    host = await startHost({
      provider: 'claude',
      runtime: 'docker',
      env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: api.url, NANOCLAW_RELAY: 'network' },
    });
  });
  after(async () => {
    await host[Symbol.asyncDispose]();
    await api.close();
  });

  test('the model answers, with a token that only the sandbox can read, and nothing else can be reached', async () => {
    const tried = [
      ['the socket', 'curl -s -m 5 --unix-socket /run/proxy/proxy.sock http://relay/v1/models'],
      ['the web', 'curl -s -m 5 --noproxy "*" http://192.0.2.1/'],
      ['the bridge without a token', 'curl -s -m 5 --noproxy "*" http://relay:4000/v1/models'],
    ].map(([what, command]) => `${command} >/dev/null && echo ${what}`);
    const command = `(${tried.join('; ')}; echo end) > reached.txt; env > env.txt; cat /proc/*/cmdline >> env.txt; true`;
    api.script(message(text('I look.'), tool('Bash', { command })), say('By network.'));
    const terminal = await host.terminal();
    assert.deepEqual(await terminal.ask('can you hear me?'), ['By network.']);
    const said = (name: string) => readFileSync(join(host.home, 'groups/andy', name), 'utf8');
    assert.equal(said('reached.txt'), 'end\n');

    const run = join(host.home, 'data/run');
    const [session = ''] = (await readdir(run)).filter((name) => name.startsWith('sess-'));
    const token = join(run, session, 'token');
    assert.equal(statSync(token).mode & 0o777, 0o400);
    const secret = readFileSync(token, 'utf8').trim();
    assert.match(secret, /^[\w-]{43}$/);
    assert.ok(!said('env.txt').includes(secret));
    assert.ok(!host.log().includes(secret));
  });
});
