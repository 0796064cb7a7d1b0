import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { createMessagesApi, type MessagesApi, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { startHost, type Terminal, type TestHost } from '../support/host-process.ts';
import { killSandbox } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';

/** What goes on behind an agent's turns, through the whole product: its result, its loss, its end. */

let api: MessagesApi;
let env: Record<string, string>;
let host: TestHost;
let terminal: Terminal;
before(async () => {
  api = await createMessagesApi({ keys: { apiKey: TEST_KEY } });
  env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url };
  host = await startHost({ provider: 'claude', env });
  terminal = await host.terminal();
});
after(async () => {
  await host[Symbol.asyncDispose]();
  // A host that is given its home leaves it.
  rmSync(host.home, { recursive: true, force: true });
  await api.close();
});

const readdir = (path: string) => readdirSync(join(host.home, 'data/v2-sessions', path));
function box(): string {
  const [agent = ''] = readdir('');
  const [session = ''] = readdir(agent);
  return join(host.home, 'data/v2-sessions', agent, session, 'box');
}
const saysSoon = (what: RegExp) => until(() => terminal.said().some((text) => what.test(text)), 60_000);

function counts(until: string) {
  const command = `until [ -e ${until} ]; do sleep 0.05; done; echo three`;
  return message(tool('Bash', { command, description: 'Count the files', run_in_background: true }));
}

test('a command that outlives its turn: others are answered meanwhile, /status names it, its result arrives', async () => {
  api.script(counts('go'), say('I count.'), say('Good day.'), say('There are three.'));
  await terminal.ask('count them');
  await terminal.ask('hello');
  assert.match(
    String(await terminal.ask('/status')),
    /awake, waiting for you; nothing open; 1 in the background \(Count the files\)/,
  );
  writeFileSync(join(host.home, 'groups/andy/go'), '');
  await saysSoon(/^There are three/);
  assert.deepEqual(
    terminal.said().filter((text) => !text.includes('Session')),
    ['I count.', 'Good day.', 'There are three.'],
  );
  assert.doesNotMatch(String(await terminal.ask('/status')), /background/);
});

test('/stop ends it, though no turn runs', async () => {
  api.script(counts('never'), say('I count.'));
  await terminal.ask('count them');
  await until(async () => /in the background/.test(String(await terminal.ask('/status'))));
  assert.deepEqual(await terminal.ask('/stop'), ['Stopped.']);
  await until(async () => !/in the background/.test(String(await terminal.ask('/status'))));
  assert.ok(!terminal.said().some((text) => /lost/.test(text)));
});

test('a sandbox that dies under it: the chat is told what was lost, once', async () => {
  api.script(counts('never'), say('I count.'));
  await terminal.ask('count them');
  await until(async () => /in the background/.test(String(await terminal.ask('/status'))));
  killSandbox(box());
  await saysSoon(/in the background \(Count the files\) was lost: my sandbox has ended/);
  api.script(say('Good day.'));
  await terminal.ask('hello');
  assert.equal(terminal.said().filter((text) => /was lost/.test(text)).length, 1);
});

test('a host that dies under it: the next one tells what was lost', async () => {
  api.script(counts('never'), say('I count.'));
  await terminal.ask('count them');
  await until(async () => /in the background/.test(String(await terminal.ask('/status'))));
  await host.end('SIGKILL');
  host = await startHost({ provider: 'claude', env, home: host.home });
  terminal = await host.terminal();
  await until(() => /was lost: my sandbox has ended/.test(newestWord()), 60_000);
});

/** Of the host's own. */
function newestWord(): string {
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return String(db.prepare("SELECT content FROM messages WHERE id GLOB 'note-*' ORDER BY rowid DESC").get()?.content);
  } finally {
    db.close();
  }
}
