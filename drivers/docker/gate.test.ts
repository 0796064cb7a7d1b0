import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { GO, gateCommand, refuseSeen } from './gate.ts';

const strange = mkdtempSync(path.join(os.tmpdir(), "nanoclaw gate 'x' $y;"));
after(() => rmSync(strange, { recursive: true }));

async function pass(word: string, env: Record<string, string> = { PATH: '/usr/bin:/bin', KEPT: 'a b' }) {
  const [program = '', ...args] = gateCommand(['/usr/bin/env'], ['/usr', strange], env, 1024 ** 2);
  const child = spawn(program, args, {
    env: { ...env, HOSTNAME: 'sandbox', HOME: '/x', OF_THE_IMAGE: 'x' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(word);
  return text(child.stdout);
}

test('it says what is mounted, and then runs the command with what was asked for in its environment', async () => {
  const id = (at: string) => {
    const { dev, ino } = statSync(at, { bigint: true });
    return `${dev}:${ino}`;
  };
  const said = (await pass(GO)).trim().split('\n');
  assert.deepEqual(said.slice(0, 4), [id('/usr'), id(strange), 'ready', 'gone']);
  assert.deepEqual(said.slice(4).sort(), ['KEPT=a b', 'PATH=/usr/bin:/bin']);
});

test('values come through as they are, whatever stands in them and whatever a shell thinks of their names', async () => {
  const env = {
    PATH: '/usr/bin:/bin',
    QUOTED: `it's "$HOME" \`id\` \\ $(id)`,
    LINES: 'one\ntwo\n',
    EMPTY: '',
    go: 'x',
    IFS: ' :\n',
    PWD: '/elsewhere',
    'with-dash.and.dot': "it's",
  };
  const print = 'process.stdout.write(JSON.stringify(process.env))';
  const [program = '', ...args] = gateCommand([process.execPath, '-e', print], [], env, 1024 ** 2);
  const child = spawn(program, args, { env: { ...env, OF_THE_IMAGE: 'x' }, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(GO);
  const said = await text(child.stdout);
  assert.deepEqual(JSON.parse(said.slice(said.indexOf('{'))), env);
});

test('no value of an ordinary name stands in the command line, which all users can read', () => {
  const words = gateCommand(['/app/run'], [], { TOKEN: 'a-secret' }, 1024);
  assert.ok(!words.join(' ').includes('a-secret'));
});

test('a file can not grow beyond the limit, whatever the engine set', async () => {
  const script = 'head -c 1000 /dev/zero >"$0/small"; head -c 2000 /dev/zero >"$0/large"; stat -c %s "$0"/*';
  const command = ['/bin/sh', '-c', script, strange];
  const [program = '', ...args] = gateCommand(command, [], { PATH: '/usr/bin:/bin' }, 1024);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end(GO);
  assert.match(await text(child.stdout), /gone\n1024\n1000\n$/);
});

test('without the word the command does not run', async () => {
  assert.match(await pass(''), /ready\n$/);
});

test('the first mount that is another one is named', () => {
  const expected = new Map([
    ['/workspace', { source: '/data/box', identity: '1:2' }],
    ['/workspace/inbound', { source: '/data/inbound', identity: '1:3' }],
  ]);
  assert.equal(refuseSeen('1:2\n1:3\n', expected), null);
  assert.match(refuseSeen('1:2\n1:4\n', expected) ?? '', /\/data\/inbound was replaced .*1:4/);
  assert.match(refuseSeen('1:2\n', expected) ?? '', /\/data\/inbound was replaced/);
});
