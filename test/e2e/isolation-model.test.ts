import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cast, openCast } from '../support/cast.ts';
import { CODE, startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';

/** docs/isolation-model.md: its commands work as they stand there, and its table is true. */

let host: TestHost;
let cast: Cast;

before(async () => {
  host = await startHost();
  cast = await openCast(host);
  const page = readFileSync(join(CODE, 'docs/isolation-model.md'), 'utf8');
  const setup = page.slice(page.indexOf('## Setting it up'), page.indexOf('## Changing it'));
  const lines = setup.split('\n').filter((line) => line.startsWith('ncl '));
  assert.equal(lines.length, 14);
  for (const line of lines) {
    const { status, stderr } = await runNcl(host.home, line.split(' ').slice(1));
    assert.deepEqual([status, stderr], [0, ''], line);
  }
});
after(async () => {
  cast.close();
  await host[Symbol.asyncDispose]();
});

async function sessions(agent: string): Promise<string[]> {
  const { stdout } = await runNcl(host.home, ['sessions', 'list', '--group', agent, '--json']);
  const rows: { platformId: string; threadId: string | null }[] = JSON.parse(stdout);
  return rows.map(({ platformId, threadId }) => [platformId, threadId].filter(Boolean).join(' ')).toSorted();
}

/** The agent's shell, in a chat: it is called by its name, in a comment. */
async function run(agent: string, command: string, where: { in: string; thread?: string }): Promise<string> {
  const said = await cast.owner.asks(`run ${command} # @${agent}`, where);
  assert.equal(said.length, 1, said.join('\n'));
  return said.join('');
}

test('1. agent-shared: one session, and each answer goes where it was asked for', async () => {
  await run('Andy', 'echo one > /workspace/seen', { in: 'phone' });
  assert.match(await run('Andy', 'cat /workspace/seen', { in: 'desk' }), /one/);
  assert.deepEqual(await sessions('Andy'), ['']);
});

test('2. shared and per-thread: sessions of their own, one memory and one folder', async () => {
  const thread = { in: 'garden', thread: 'hedge' };
  await run('Fern', 'echo "the hedge is high" >> CLAUDE.local.md', { in: 'family' });
  assert.match(await run('Fern', 'cat CLAUDE.local.md', thread), /hedge is high/);
  await run('Fern', 'echo here > /workspace/seen', thread);
  assert.match(await run('Fern', 'cat /workspace/seen', thread), /here/);
  for (const other of [{ in: 'garden', thread: 'roses' }, { in: 'family' }]) {
    assert.match(await run('Fern', 'cat /workspace/seen', other), /No such file/);
  }
  assert.deepEqual(await sessions('Fern'), ['family', 'garden hedge', 'garden roses']);
});

test('3. separate agents: nothing of one is known to the other', async () => {
  await run('Will', 'echo mine > mine', { in: 'work' });
  assert.doesNotMatch(await run('Will', 'cat CLAUDE.local.md', { in: 'work' }), /hedge/);
  assert.match(await run('Fern', 'cat mine', { in: 'family' }), /No such file/);
  const { stdout } = await runNcl(host.home, ['destinations', 'list', '--group', 'Will', '--json']);
  const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ['work']);
  assert.deepEqual(await sessions('Will'), ['work']);
  // A user of its own, where the host is one that can give them.
  const [will, fern] = ['will', 'fern'].map((folder) => statSync(join(host.home, 'groups', folder)).uid);
  if (process.getuid?.() === 0) assert.notEqual(will, fern);
});

test('members of one agent are strangers to the other', async () => {
  const bob = cast.user('bob');
  assert.match((await bob.asks('run echo yes # @Will', { in: 'work' })).join(''), /yes/);
  const { status } = await bob.says('run echo yes # @Fern', { in: 'family' });
  assert.equal(status, 'refused');
});

test('a mode that is changed counts from the next message on, and back again', async () => {
  const { stdout } = await runNcl(host.home, ['wirings', 'list', '--group', 'Will', '--json']);
  const [{ id }] = JSON.parse(stdout);
  await run('Will', 'echo before > /workspace/seen', { in: 'work' });
  await runNcl(host.home, ['wirings', 'update', id, '--session-mode', 'agent-shared']);
  assert.match(await run('Will', 'cat /workspace/seen', { in: 'work' }), /No such file/);
  assert.deepEqual(await sessions('Will'), ['', 'work']);
  await runNcl(host.home, ['wirings', 'update', id, '--session-mode', 'shared']);
  assert.match(await run('Will', 'cat /workspace/seen', { in: 'work' }), /before/);
});
