import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  billing,
  createMessagesApi,
  gate,
  type MessagesApi,
  message,
  overloaded,
  promptTooLong,
  rateLimited,
  say,
  text,
  tool,
  unauthorized,
} from '../fakes/messages-api/index.ts';
import { startHost, type Terminal, type TestHost } from '../support/host-process.ts';
import { killSandbox, sandboxProcesses, search, searchSandbox } from '../support/sandbox-search.ts';
import { until } from '../support/until.ts';

/** Real host, real sandbox, real harness, real files; only the far end of the network is played. */

// In two halves, so that this file is not what a search for the key finds.
const KEY = ['sk-ant-api03-', 'n0body-else-has-this-one'].join('');

let api: MessagesApi;
let host: TestHost;
let terminal: Terminal;
beforeEach(async () => {
  api = await createMessagesApi({ keys: { apiKey: KEY } });
  host = await startHost({ provider: 'claude', env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: api.url } });
  terminal = await host.terminal();
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await api.close();
});

const box = () => {
  const [agent = ''] = readdir('');
  const [session = ''] = readdir(agent);
  return join(host.home, 'data/v2-sessions', agent, session, 'box');
};
const readdir = (path: string) => readdirSync(join(host.home, 'data/v2-sessions', path));

describe('claude, in a real sandbox', () => {
  test('a tool runs inside, its file is in the group, the answer arrives, and the key is nowhere in the sandbox', async () => {
    api.script(
      message(
        text('I look.'),
        tool('Bash', { command: 'echo found > result.txt; env > env.txt; cat /proc/*/environ > all.txt; true' }),
      ),
      say('Done: found.'),
    );
    assert.deepEqual(await terminal.ask('please look'), ['Done: found.']);
    assert.equal(readFileSync(join(host.home, 'groups/andy/result.txt'), 'utf8'), 'found\n');
    assert.deepEqual(
      api.requests.flatMap((request) => request.headers['x-api-key'] ?? []).filter((key) => key !== KEY),
      [],
      'the far end saw the real key',
    );
    const pids = sandboxProcesses(box());
    assert.ok(pids.length >= 2, `runner and harness live: ${pids}`);
    assert.deepEqual(searchSandbox(pids, KEY), []);
    const outside = ['data/v2-sessions', 'groups', 'logs', 'data/run'].map((part) => join(host.home, part));
    assert.deepEqual(search(outside, KEY), [], 'nor in what the host keeps of it');
    assert.deepEqual(search([join(host.home, '.env')], KEY).length, 1, 'the search does find it where it is');
  });

  test('three messages while a tool runs, two while the final text streams: each has its answer when it was read', async () => {
    const streaming = gate();
    api.script(
      message(tool('Bash', { command: 'until [ -e go ]; do sleep 0.05; done' })),
      say('the first ', streaming, 'four'),
      say('the last two'),
      // A harness that was slow to hear of "six" reads it in a turn after the one of "five".
      say('the last two'),
    );
    const first = terminal.send('one');
    await api.arrived(1);
    await until(() => host.log().includes('accepted'));
    const during = ['two', 'three', 'four'].map((word) => terminal.send(word));
    await until(() => acked(during.length + 1));
    writeFileSync(join(host.home, 'groups/andy/go'), '');
    const second = JSON.stringify((await api.arrived(2)).messages);
    for (const word of ['two', 'three', 'four']) assert.match(second, new RegExp(`${word}`));
    const late = ['five', 'six'].map((word) => terminal.send(word));
    await until(() => acked(6));
    for (const id of [first, ...during, ...late]) assert.equal(terminal.outcome(id), undefined);
    streaming.open();
    await until(() => late.every((id) => terminal.outcome(id) === 'reply'));
    assert.equal(terminal.said()[0], 'the first four');
    assert.deepEqual([...new Set(terminal.said().slice(1))], ['the last two']);
    for (const id of [first, ...during]) assert.equal(terminal.outcome(id), 'reply');
    assert.match(JSON.stringify(api.messages.at(-1)?.messages), /five.*six/s);
  });

  test('the sandbox is killed in between: what was read but not answered, and what was only pushed, are all answered', async () => {
    api.script(message(tool('Bash', { command: 'until [ -e go ]; do sleep 0.05; done' })));
    const ids = [terminal.send('one')];
    await api.arrived(1);
    ids.push(...['two', 'three', 'four'].map((word) => terminal.send(word)));
    await until(() => acked(4));
    api.script(say('to all of you'), say('and the rest'), say('more'), say('last'));
    killSandbox(box());
    await until(() => ids.every((id) => terminal.outcome(id) === 'reply'), 60_000);
    assert.match(JSON.stringify(api.messages.at(-1)?.messages), /retry/);
    assert.equal(terminal.said().filter((said) => /to all of you/.test(said)).length, 1);
  });

  test('it remembers after a restart of the host', async () => {
    api.script(say('Hello, Ann.'));
    await terminal.ask('my name is Ann');
    await host.end();
    const again = await startHost({
      home: host.home,
      provider: 'claude',
      env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: api.url },
    });
    const other = await again.terminal();
    api.script(say('Ann.'));
    assert.deepEqual(await other.ask('who am I?'), ['Ann.']);
    assert.match(JSON.stringify(api.messages.at(-1)?.messages), /my name is Ann.*Hello, Ann.*who am I/s);
    await again.end();
  });

  test('/stop ends a turn within two seconds', async () => {
    const never = gate();
    api.script(say('I begin ', never));
    const id = terminal.send('a long story');
    await api.arrived(1);
    const begun = performance.now();
    assert.deepEqual(await terminal.ask('/stop'), ['Stopped.']);
    api.script(say('fresh'));
    assert.deepEqual(await terminal.ask('again'), ['fresh']);
    assert.ok(performance.now() - begun < 4_000, `${performance.now() - begun} ms with the next answer`);
    assert.equal(terminal.outcome(id), 'stopped');
  });

  test('/clear begins a new conversation', async () => {
    api.script(say('Noted.'));
    await terminal.ask('the password is tulip');
    await terminal.ask('/clear');
    api.script(say('I do not know.'));
    await terminal.ask('what is the password?');
    assert.doesNotMatch(JSON.stringify(api.messages.at(-1)?.messages), /tulip/);
  });
});

describe('when the far end fails', () => {
  const final: [name: string, () => Parameters<MessagesApi['script']>[0], RegExp][] = [
    ['a refused key', unauthorized, /refused my key/],
    ['no credit', billing, /no credit/],
  ];
  for (const [name, reply, sentence] of final) {
    test(`${name} is told once, with what to do`, async () => {
      api.script(...Array.from({ length: 6 }, reply));
      const said = await terminal.ask('hello');
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', sentence);
      api.skip();
      api.script(say('better'));
      assert.deepEqual(await terminal.ask('again'), ['better'], 'it heals by itself');
    });
  }

  const passing: [name: string, () => Parameters<MessagesApi['script']>[0], RegExp][] = [
    ['an overloaded model', overloaded, /overloaded.*try again/],
    ['a rate limit', () => rateLimited(12), /limits how often.*try again/],
  ];
  for (const [name, reply, sentence] of passing) {
    test(`${name} is told, tried again, and answered`, async () => {
      api.script(...Array.from({ length: 40 }, reply));
      const id = terminal.send('hello');
      await until(() => terminal.said().length === 1, 40_000);
      assert.match(terminal.said()[0] ?? '', sentence);
      api.skip();
      api.script(say('at last'));
      await until(() => terminal.outcome(id) === 'reply', 60_000);
      assert.deepEqual(terminal.said().slice(1), ['at last']);
    });
  }

  test('a conversation that is too long says so, and /clear helps', async () => {
    api.script(...Array.from({ length: 40 }, () => promptTooLong()));
    const said = await terminal.ask('hello');
    assert.match(said[0] ?? '', /too long/);
    api.skip();
    await terminal.ask('/clear');
    api.script(say('short again'));
    assert.deepEqual(await terminal.ask('hello'), ['short again']);
  });

  test('a far end that is gone is told within seconds, and comes back', async () => {
    const port = Number(new URL(api.url).port);
    await api.close();
    const id = terminal.send('hello');
    await until(() => terminal.said().length === 1, 40_000);
    assert.match(terminal.said()[0] ?? '', /can't reach the model.*try again/);
    api = await createMessagesApi({ keys: { apiKey: KEY }, port });
    api.script(say('back'));
    await until(() => terminal.outcome(id) === 'reply', 60_000);
  });

  test('an empty answer is a recorded silence; one of 5 MB comes as a file', async () => {
    api.script(say(''), say(''), say(''));
    const id = terminal.send('say nothing');
    await until(() => terminal.outcome(id) !== undefined, 60_000);
    assert.equal(terminal.outcome(id), 'silence');
    api.skip();
    api.script(say('x'.repeat(5_000_000)));
    await terminal.ask('say much');
    const file = terminal.frames.flatMap((frame) => (frame.type === 'message' ? frame.files : []))[0];
    assert.equal(file?.size, 5_000_000);
  });
});

/** How many messages the runner holds or has settled, by the mailbox itself. */
function acked(count: number): boolean {
  const db = new DatabaseSync(join(box(), 'outbound.db'), { readOnly: true });
  try {
    return Number(db.prepare('SELECT count(*) AS n FROM processing_ack').get()?.n) >= count;
  } catch {
    return false;
  } finally {
    db.close();
  }
}
