import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import type { Tool } from '@nanoclaw/agent-runner/tool';
import { z } from 'zod';
import { bash, message, resultText, say, tool } from '../../../test/fakes/messages-api/index.ts';
import { FORBIDDEN_TOOLS } from './harness-tools.ts';
import { Rig, scenario } from './test-rig.ts';

/** What the model and the harness are given, as it arrives at the API. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const offered = (): string[] => rig.api.messages[0]?.tools.map(({ name }) => name).toSorted() ?? [];
const lastResults = () => rig.api.messages.at(-1)?.messages.findLast(({ role }) => role === 'user')?.content ?? [];

const greet: Tool<{ name: z.ZodString }> = {
  name: 'greet',
  description: 'Greets.',
  input: { name: z.string() },
  run: async ({ name }) => (name === '' ? { text: 'Whom?', isError: true } : { text: `Good day, ${name}.` }),
};

scenario('the default tools, and nothing that waits for a keyboard', async () => {
  const talk = await rig.converse();
  rig.api.script(say('ok'));
  talk.query.push('a', 'hi');
  await talk.outcome(1);
  assert.deepEqual(offered(), [
    'Agent',
    'Bash',
    'Edit',
    'Glob',
    'Grep',
    'NotebookEdit',
    'Read',
    'Skill',
    'TaskCreate',
    'TaskGet',
    'TaskList',
    'TaskStop',
    'TaskUpdate',
    'WebFetch',
    'WebSearch',
    'Write',
  ]);
  const paths = rig.api.requests.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(
    [...new Set(paths)].toSorted(),
    ['HEAD /api/hello', 'POST /v1/messages'],
    'one call a step, and nothing else',
  );
});

scenario('an allow list is all that the model sees, beside our own tools', async () => {
  const talk = await rig.converse({ allowedTools: ['Read', ...FORBIDDEN_TOOLS], tools: [greet] });
  rig.api.script(
    message(
      tool('mcp__nanoclaw__greet', { name: 'Ann' }),
      tool('mcp__nanoclaw__greet', { name: '' }),
      tool('Bash', { command: 'id' }),
    ),
    say('done'),
  );
  talk.query.push('a', 'greet Ann');
  await talk.outcome(1);
  assert.deepEqual(offered(), ['Read', 'mcp__nanoclaw__greet']);
  const results = lastResults().map((block) => [resultText(block), block.is_error === true]);
  assert.deepEqual(results.slice(0, 2), [
    ['Good day, Ann.', false],
    ['Whom?', true],
  ]);
  assert.match(String(results[2]?.[0]), /No such tool available/);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'done' }]);
});

scenario(
  "a group's own servers offer their tools from the first prompt on; one that does not start costs nothing else",
  async () => {
    const server = join(import.meta.dirname, '../../../test/fakes/mcp/server.mjs');
    const talk = await rig.converse({
      allowedTools: ['Read'],
      mcpServers: {
        stamps: { command: process.execPath, args: [server, 'given'], env: { STAMP: 'stamped' } },
        broken: { command: '/nowhere/server', args: [], env: {} },
      },
    });
    rig.api.script(message(tool('mcp__stamps__stamp', { text: 'hello' })), say('done'));
    talk.query.push('a', 'stamp it');
    await talk.outcome(1);
    assert.deepEqual(offered(), ['Read', 'mcp__stamps__stamp']);
    assert.deepEqual(lastResults().map(resultText), ['hello stamped given']);
    assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'done' }]);
    assert.ok(rig.logged.includes('claude: the MCP server broken did not start'));
    const [call] = talk.of('activity').filter(({ tool: run }) => run?.name === 'mcp__stamps__stamp');
    assert.equal(call?.tool?.declaredTimeoutMs, 300_000);
  },
);

scenario('a prompt is only text: no file is read for an @, no command runs for a /', async () => {
  writeFileSync(join(rig.cwd, 'private.txt'), 'the-secret-of-the-file');
  const talk = await rig.converse();
  rig.api.script(say('ok'), say('ok'));
  talk.query.push('a', 'look at @private.txt');
  await talk.outcome(1);
  talk.query.push('b', '/cost of living');
  await talk.outcome(2);
  const seen = JSON.stringify(rig.api.messages.map(({ messages }) => messages));
  assert.ok(seen.includes('look at @private.txt') && seen.includes('/cost of living'));
  assert.ok(!seen.includes('the-secret-of-the-file'));
});

scenario(
  "the harness and its commands get a listed environment, and the agent's files are not its settings",
  async () => {
    process.env.NANOCLAW_TEST_SECRET = 'must-not-pass';
    writeFileSync(join(rig.cwd, 'CLAUDE.md'), 'planted-instructions');
    const talk = await rig.converse({ env: { EXTRA: 'passes' }, addendum: '# You are Bob' });
    rig.api.script(bash('env'), say('ok'));
    talk.query.push('a', 'show');
    await talk.outcome(1);
    delete process.env.NANOCLAW_TEST_SECRET;
    const printed = lastResults().map(resultText).join('\n');
    assert.match(printed, /^EXTRA=passes$/m);
    assert.match(printed, /^PATH=/m);
    assert.ok(!printed.includes('must-not-pass'));
    const first = JSON.stringify(rig.api.messages[0]);
    assert.ok(first.includes('# You are Bob'));
    assert.ok(!first.includes('planted-instructions') && !first.includes('Co-Authored-By'));
  },
);

scenario('the harness starts before the first push', async () => {
  const cold = await rig.converse();
  rig.api.script(say('cold'), say('warm'));
  const coldMs = await timeToRequest(() => cold.query.push('a', 'one'), 1);
  await cold.outcome(1);
  const warm = await rig.converse();
  // Up as soon as it has loaded: there is no event for that before the first push.
  await new Promise((resolve) => setTimeout(resolve, 3 * coldMs));
  const warmMs = await timeToRequest(() => warm.query.push('b', 'two'), 2);
  assert.ok(warmMs < coldMs, `warm ${warmMs} ms, cold ${coldMs} ms`);
});

async function timeToRequest(act: () => void, n: number): Promise<number> {
  const at = performance.now();
  act();
  await rig.api.arrived(n);
  return performance.now() - at;
}
