import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { fill } from '../support/large-install.ts';
import { runNcl } from '../support/ncl.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** An install of 10,000 users, 1,000 chats and 5,000 sessions is as quick as one of three. */

const LIST_MS = 300;
const ROUTE_P95_MS = 15;
const LISTS = [
  'groups list',
  'messaging-groups list',
  'wirings list',
  'users list',
  'users denials list',
  'roles list',
  'members list',
  'destinations list',
  'sessions list',
  'user-dms list',
  'dropped-messages list',
  'approvals list',
];

let home: string;
let platform: Platform;
let host: TestHost;

before(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-scale-')));
  initFirstAgent(home, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  fill(home, { users: 10_000, chats: 1_000, sessions: 5_000, agents: 50, messages: 100_000 });
  platform = await startPlatform();
  host = await startHost({ home, platform });
});

after(async () => {
  await host.end();
  platform[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

/** What it takes, and not what else the machine does: the quickest of some. */
async function quickest(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  // More of them while the machine is at something else.
  for (let round = 0; round < 5 || (round < 25 && best >= LIST_MS); round += 1) {
    const begun = performance.now();
    await work();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

async function nclOk(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(home, args);
  assert.equal(status, 0, stderr);
  return stdout;
}

for (const list of LISTS) {
  test(`ncl ${list}: less than ${LIST_MS} ms, from start to end of the command`, async () => {
    const words = list.split(' ');
    const ms = await quickest(() => nclOk(...words));
    process.stderr.write(`ncl ${list}: ${ms.toFixed(0)} ms\n`);
    assert.ok(ms < LIST_MS, `${ms.toFixed(0)} ms`);
  });
}

test('a list at a terminal, with its ids shortened, and all of a list as JSON', async () => {
  const command = `'${join(CODE, 'bin/ncl')}' sessions list`;
  const env = { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home };
  const shown = await promisify(execFile)('script', ['-qec', command, '/dev/null'], { env });
  for (const line of shown.stdout.split('\r\n')) assert.ok(line.length <= 80 + 10, line);
  assert.match(shown.stdout, /… and 4800 more: --limit 5000 shows all\./);
  const [first = ''] = shown.stdout.match(/^sess-\S+/m) ?? [];
  assert.ok(first.length < 20, first);
  await nclOk('sessions', 'get', first);

  const ms = await quickest(async () => {
    const all: unknown[] = JSON.parse(await nclOk('users', 'list', '--limit', '20000', '--json'));
    assert.equal(all.length, 10_001);
  });
  process.stderr.write(`ncl users list --limit 20000 --json: ${ms.toFixed(0)} ms\n`);
  assert.ok(ms < LIST_MS, `${ms.toFixed(0)} ms`);
});

test('a name, a filter and the beginning of an id are found as quickly', async () => {
  const lines = [
    ['users', 'get', 'Person 9999 日本 👩‍🚀'],
    ['sessions', 'list', '--group', 'Agent 7', '--state', 'idle'],
    ['sessions', 'get', 'sess-big004999'],
    ['messaging-groups', 'get', 'Chat 999'],
    ['groups', 'get', 'Agent 49'],
  ];
  for (const words of lines) {
    const ms = await quickest(() => nclOk(...words));
    process.stderr.write(`ncl ${words.join(' ')}: ${ms.toFixed(0)} ms\n`);
    assert.ok(ms < LIST_MS, `${words.join(' ')}: ${ms.toFixed(0)} ms`);
  }
});

function p95(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length * 0.95)] ?? 0;
}

test(`a message reaches its warm agent within ${ROUTE_P95_MS} ms`, async () => {
  const terminal = await host.terminal();
  await terminal.ask('ping');
  const rounds: number[] = [];
  // The best of some rounds: what it takes, and not what else the machine does.
  while (rounds.length < 12 && !rounds.some((one) => one <= ROUTE_P95_MS)) {
    const samples: number[] = [];
    for (let count = 0; count < 100; count += 1) {
      const sent = performance.timeOrigin + performance.now();
      const said = await terminal.ask('ping');
      samples.push(Number(said.find((text) => text.startsWith('pong '))?.slice(5)) - sent);
    }
    rounds.push(p95(samples));
  }
  process.stderr.write(`event → prompt, p95: ${rounds.map((one) => one.toFixed(1)).join(', ')} ms\n`);
  assert.ok(Math.min(...rounds) <= ROUTE_P95_MS, rounds.join(', '));
});

test(`what no agent is meant by is decided within ${ROUTE_P95_MS} ms, in each of the chats`, async () => {
  const rounds: number[] = [];
  while (rounds.length < 12 && !rounds.some((one) => one <= ROUTE_P95_MS)) {
    const samples: number[] = [];
    for (let count = 0; count < 1_000; count += 7) {
      const begun = performance.now();
      const id = platform.send(`chat-${count}`, 'just talking', { sender: `telegram:${1_000_000 + count}` });
      await until(() => platform.events.get(id)?.acceptance !== undefined);
      samples.push(performance.now() - begun);
      assert.equal(platform.events.get(id)?.acceptance?.status, 'dropped');
    }
    rounds.push(p95(samples));
  }
  process.stderr.write(`event → decided, p95: ${rounds.map((one) => one.toFixed(1)).join(', ')} ms\n`);
  assert.ok(Math.min(...rounds) <= ROUTE_P95_MS, rounds.join(', '));
});
