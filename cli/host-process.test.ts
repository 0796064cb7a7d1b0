import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { until } from '../test/support/until.ts';
import { waitForEnd } from './host-process.ts';

/** Ends its first thread alone; another one goes on. */
const HALF_GONE = `const { dlopen } = require('bun:ffi');
const { syscall } = dlopen('libc.so.6', { syscall: { args: ['i64', 'i64'], returns: 'i64' } }).symbols;
const other = new Worker(URL.createObjectURL(new Blob(['postMessage(0); setInterval(() => {}, 1000)'])));
other.onmessage = () => syscall(process.arch === 'arm64' ? 93 : 60, 0);`;

test('a process has ended when its last thread has: until then its files are open', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const child = spawn('bun', ['-e', HALF_GONE], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? assert.fail();
  await until(() => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  assert.equal(await waitForEnd(pid, 100), false);
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  assert.equal(await waitForEnd(pid, 10_000), true);
  await closed;
});
