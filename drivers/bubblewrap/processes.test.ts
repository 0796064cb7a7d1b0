import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { identify, nameOf, STARTER, strays } from './processes.ts';

const skip = process.getuid?.() !== 0 && 'it takes root to be two users';
const words = ['--setenv', 'LABEL', `nanoclaw-strays-test-${process.pid}`];
const shell = realpathSync('/bin/sh');
const OTHER = 54_321;

/** A process that is nobody's child, stands still, and has the words on its command line. */
function plant(t: TestContext, uid: number, ...behind: string[]): number {
  const script = `${shell} -c 'kill -STOP $$' sh "$@" end </dev/null >/dev/null 2>&1 & echo $!`;
  const pid = Number(execFileSync(shell, ['-c', script, 'sh', ...words, ...behind], { uid, encoding: 'utf8' }));
  t.after(() => process.kill(pid, 'SIGKILL'));
  return pid;
}

const pids = (executable: string, isOurs = (_uid: number) => false) =>
  strays(words, [executable], isOurs).map(({ pid }) => pid);

test("root's host takes what runs bwrap, as root or as one of its agents", { skip }, (t) => {
  const mine = plant(t, 0);
  const others = plant(t, OTHER);
  assert.deepEqual(
    pids('/usr/bin/bwrap', () => true),
    [],
    'another program',
  );
  assert.deepEqual(pids(shell), [mine]);
  assert.deepEqual(pids(shell, (uid) => uid === OTHER).sort(), [mine, others].sort());
});

test('one whose starter still runs is not taken', { skip }, async (t) => {
  const starter = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  t.after(() => starter.kill('SIGKILL'));
  const name = nameOf(identify(starter.pid ?? 0) ?? assert.fail('it does not run'));
  const itself = plant(t, 0, ...STARTER, name);
  const earlier = plant(t, 0, ...STARTER, name.replace(/-\d+$/, '-1'));
  const unnamed = plant(t, 0, ...STARTER, 'somebody');
  assert.deepEqual(pids(shell).sort(), [earlier, unnamed].sort());
  starter.kill('SIGKILL');
  await once(starter, 'exit');
  assert.deepEqual(pids(shell).sort(), [itself, earlier, unnamed].sort());
});

test("another user's host takes its own user's alone", { skip }, (t) => {
  plant(t, 0);
  const others = plant(t, OTHER);
  const program = `const { strays } = await import(${JSON.stringify(join(import.meta.dirname, 'processes.ts'))});
    process.setgroups([]); process.setgid(${OTHER}); process.setuid(${OTHER});
    console.log(JSON.stringify(strays(process.argv.slice(1), ['any'], () => true).map(({ pid }) => pid)));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program, '--', ...words], {
    encoding: 'utf8',
  });
  assert.deepEqual(JSON.parse(said), [others]);
});
