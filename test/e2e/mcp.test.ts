import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCentral } from '../../src/db/connection.ts';
import { pathsFor } from '../../src/paths.ts';
import { createMessagesApi, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { CODE, startHost } from '../support/host-process.ts';

test("a group's own MCP server runs in its sandbox, and its tool is offered, explained and called", async () => {
  const api = await createMessagesApi();
  await using host = await startHost({
    provider: 'claude',
    env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url },
  });
  const folder = join(host.home, 'groups/andy/tools');
  mkdirSync(folder);
  copyFileSync(join(CODE, 'test/fakes/mcp/server.mjs'), join(folder, 'server.mjs'));
  const stamps = {
    command: 'bun',
    args: ['/workspace/agent/tools/server.mjs', 'from inside'],
    env: { STAMP: 'stamped' },
    instructions: 'Stamp each letter before it is sent.',
  };
  const { db: file, backups } = pathsFor(host.home);
  const db = openCentral({ file, backups, now: Date.now() });
  db.prepare('UPDATE container_configs SET mcp_servers = ?').run(JSON.stringify({ stamps }));
  db.close();
  const terminal = await host.terminal();
  api.script(message(tool('mcp__stamps__stamp', { text: 'hello' })), say('done'));
  assert.deepEqual(await terminal.ask('stamp it'), ['done']);
  const [first, second] = api.messages;
  assert.ok(first?.tools.some(({ name }) => name === 'mcp__stamps__stamp'));
  assert.match(JSON.stringify(first), /mcp__stamps__…\\n\\nStamp each letter before it is sent\./);
  assert.match(JSON.stringify(second?.messages.at(-1)), /hello stamped from inside/);
  assert.doesNotMatch(readFileSync(join(host.home, 'logs/nanoclaw.log'), 'utf8'), /did not start/);
  await api.close();
});
