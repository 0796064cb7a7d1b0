import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ProviderEvent, ProviderOptions } from '@nanoclaw/agent-runner/provider';
import { z } from 'zod';
import { createProvider } from '../runner.ts';
import { readAsked } from './prompt.ts';
import { answer } from './rules.ts';

/** Real commands in a real shell: side by side, each with its own time, and what becomes of those that hang. */

let cwd: string;
let events: ProviderEvent[];
let stop: AbortController;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'nanoclaw-demo-'));
  events = [];
  stop = new AbortController();
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function ask(
  text: string,
  files: Parameters<typeof answer>[0]['files'] = [],
  tools: ProviderOptions['tools'] = [],
): Promise<string> {
  const options = {
    assistantName: 'Andy',
    env: {},
    tools,
    cwd,
    additionalDirectories: [],
    conversations: '',
    log: () => {},
  };
  return answer(
    { text, files },
    { options, name: 'Andy', count: 1, signal: stop.signal, emit: (event) => events.push(event) },
  );
}
const declared = () => events.flatMap((event) => (event.type === 'activity' && event.tool?.declaredTimeoutMs) || []);
const pidIn = (name: string) => (existsSync(join(cwd, name)) ? Number(readFileSync(join(cwd, name), 'utf8')) : 0);

function lives(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return pid > 0 && existsSync(file) && !/^.*\) Z/s.test(readFileSync(file, 'utf8'));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !condition(); await pause(5))
    assert.ok(performance.now() < end, `waited for ${what}`);
}

/** It leaves its shell's group and session, ignores a request to end, and has children of its own. */
const daemon = (name: string) => `(setsid bash -c 'trap "" TERM; echo $$ > ${name}; sleep 1000; true' &)`;

test('in a group it may be called first, by its name or another', async () => {
  for (const text of ['@Andy run echo one', '@andy, run echo one', '@bot: run echo one', '@Bea run echo one'])
    assert.equal(await ask(text), 'one\n(exit code 0)');
  assert.match(await ask('@Andyrew'), /don’t understand/);
});

test('what a tool refuses is told without the words of tools and commands', async () => {
  const refuse = (name: string, text: string, input = {}) => {
    return { name, description: '', input, run: async () => ({ isError: true, text: `Error: ${text}` }) };
  };
  const tools = [
    refuse(
      'schedule_task',
      'The command is not written as it should be. “in 0 seconds” is now: say a time that is still to come. See `ncl help`.',
    ),
    refuse('ask_user_question', '', { options: z.array(z.string().max(5)) }),
  ];
  assert.equal(
    await ask('remind me in 0 seconds: x', [], tools),
    'That did not work: “in 0 seconds” is now: say a time that is still to come.',
  );
  assert.match(await ask('ask me Which?: a,', [], tools), /^I need two answers or more/);
  assert.match(await ask('ask me Which?: a, much too long', [], tools), /^That did not work: a title, an answer/);
});

test('a turn says how long it took', async () => {
  const provider = await createProvider({
    ...{ assistantName: 'Andy', env: {}, tools: [], cwd, additionalDirectories: [], conversations: '', log() {} },
  });
  const query = provider.query({ systemAddendum: '' });
  query.push('one', '<message id="2" from="a">run sleep 0.2</message>');
  for await (const event of query.events) {
    if (event.type === 'usage') assert.ok((event.durationMs ?? 0) >= 200);
    if (event.type === 'settled') query.end();
  }
});

test('a command has a minute, or what it is given', async () => {
  assert.equal(await ask('run echo one'), 'one\n(exit code 0)');
  assert.equal(await ask('run with 600 seconds: echo two'), 'two\n(exit code 0)');
  assert.deepEqual(declared(), [60_000, 600_000]);
});

test('of three side by side one hangs: it ends with all that it has started, and the others are not disturbed', async () => {
  const begun = performance.now();
  const said = await ask(`run side by side:
    sleep 2; echo slow
    with 1 second: ${daemon('pid')}; echo before; sleep 1000
    echo quick`);
  assert.ok(performance.now() - begun < 20_000);
  assert.equal(said, 'slow\n(exit code 0)\n\nbefore\n(ended after 1 s)\n\nquick\n(exit code 0)');
  assert.deepEqual(declared(), [60_000, 1000, 60_000]);
  const ids = events.flatMap((event) => (event.type === 'activity' && event.tool ? [event.tool.id] : []));
  assert.equal(new Set(ids).size, 3);
  assert.ok(pidIn('pid') > 0);
  await until('the daemon to be gone', () => !lives(pidIn('pid')));
});

test('what is stopped ends at once, with all that it has started', async () => {
  const said = ask(`run ${daemon('pid')}; sleep 1000`);
  await until('it to run', () => lives(pidIn('pid')));
  stop.abort();
  assert.equal(await said, '(stopped)');
  await until('the daemon to be gone', () => !lives(pidIn('pid')));
});

test('a file that comes is named, with where it lies; what came with a command is not', async () => {
  const [asked] = readAsked(
    '<message id="1" sender="Ann">\n<attachment type="file" name="a &amp; b.txt" path="/workspace/inbound/inbox/m/1-a &amp; b.txt" bytes="3" /></message>',
  );
  const path = '/workspace/inbound/inbox/m/1-a & b.txt';
  assert.deepEqual(asked, { text: '', files: [{ name: 'a & b.txt', path }] });
  const said = `I have a & b.txt. It lies at ${path}\nTry: read a & b.txt`;
  assert.equal(await ask('', asked?.files), said);
  assert.equal(await ask('here you are', asked?.files), said);
  assert.equal(await ask('', [{ name: 'big.iso', path: undefined }]), 'big.iso did not reach me.');
  assert.equal(await ask('run echo one', asked?.files), 'one\n(exit code 0)');
});

test('read finds the newest of what was sent, and its own before that', async () => {
  const home = cwd;
  const sent = (folder: string, name: string, text: string, at: number) => {
    const path = join(home, 'inbound/inbox', folder);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, name), text);
    utimesSync(join(path, name), at, at);
  };
  cwd = join(home, 'agent');
  mkdirSync(cwd);
  try {
    assert.match(await ask('read my plan.txt'), /^There is no my plan\.txt/);
    sent('m1', '1-my plan.txt', 'old', 100);
    sent('m2', '2-my plan.txt', 'new', 300);
    sent('m3', '1-my plan.txt', 'between', 200);
    assert.equal(await ask('read my plan.txt'), 'new');
    assert.match(await ask('read ../inbox/m1/1-my plan.txt'), /^There is no /);
    writeFileSync(join(cwd, 'my plan.txt'), 'own');
    assert.equal(await ask('read my plan.txt'), 'own');
  } finally {
    cwd = home;
  }
});
