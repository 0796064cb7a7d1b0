import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMessagesApi, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** Real host, sandbox, harness and files: what an agent knows of what was before. */

test('memory, search, /compact and /clear, over a restart of the host', async (t) => {
  const api = await createMessagesApi({ keys: { apiKey: TEST_KEY } });
  t.after(() => api.close());
  const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url };
  await using first = await startHost({ provider: 'claude', env });
  const { home } = first;
  const memory = join(home, 'groups/andy/CLAUDE.local.md');
  writeFileSync(memory, `The cat is called Bello.\n${'x'.repeat(70_000)}\nThe end of it.`);
  const terminal = await first.terminal();
  const lastRequest = () => JSON.stringify(api.messages.at(-1));
  const toolResult = () => JSON.stringify(api.messages.at(-1)?.messages.at(-1));
  const conversations = () => {
    const folder = join(onlyFolder(onlyFolder(join(home, 'data/v2-sessions'))), 'box/conversations');
    // What begins with a point is just being written.
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
    return names.map((name) => readFileSync(join(folder, name), 'utf8'));
  };

  api.script(say('Red, I see.'));
  assert.deepEqual(await terminal.ask('the tulips are red'), ['Red, I see.']);
  assert.match(lastRequest(), /The cat is called Bello\./);
  assert.match(lastRequest(), /Only the first 64 KB of this file are shown/);
  assert.doesNotMatch(lastRequest(), /The end of it/);

  api.script(message(tool('mcp__nanoclaw__search_history', { words: 'tulip*', person: 'owner' })), say('You said so.'));
  assert.deepEqual(await terminal.ask('what did I say of flowers?'), ['You said so.']);
  assert.match(
    toolResult(),
    /"text":"[^"]*owner in Terminal · msg-[^"]*the tulips are red"/,
    'and not the question itself',
  );

  api.script(say('<summary>Of tulips.</summary>'));
  assert.deepEqual(await terminal.ask('/compact'), ['I look at what there is to summarise, and say how it ends.']);
  await until(() => terminal.said().some((text) => /^Summarised/.test(text)));
  await until(() => conversations().some((text) => text.includes('the tulips are red')));

  api.script(say('White.'));
  assert.deepEqual(await terminal.ask('the roses are white'), ['White.']);
  assert.match(lastRequest(), /Of tulips\./);
  await terminal.ask('/clear');
  await until(() => conversations().length === 2);
  assert.deepEqual(await terminal.ask('/compact'), ['I look at what there is to summarise, and say how it ends.']);
  await until(() => terminal.said().includes('There is nothing to summarise yet.'));
  await first.end();

  await using second = await startHost({ home, provider: 'claude', envFile: readFileSync(join(home, '.env'), 'utf8') });
  const again = await second.terminal();
  api.script(message(tool('mcp__nanoclaw__search_history', { words: 'tulips' })), say('They were red.'));
  assert.deepEqual(await again.ask('which colour?'), ['They were red.']);
  assert.match(JSON.stringify(api.messages.at(-2)), /The cat is called Bello\./);
  assert.doesNotMatch(JSON.stringify(api.messages.at(-2)?.messages), /tulips/, 'the conversation itself is forgotten');
  assert.match(toolResult(), /the tulips are red/);
  assert.equal(conversations().length, 2);
  assert.match((await runNcl(home, ['history', 'search', 'tulips'])).stdout, /the tulips are red/);
});

function onlyFolder(folder: string): string {
  return join(folder, readdirSync(folder)[0] ?? '');
}
