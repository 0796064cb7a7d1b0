import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { CODE, startHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

test('a host that hangs, and one that went for good, are told to whoever waits for it', async () => {
  await using host = await startHost();
  const begin = (...args: string[]) => {
    const child = spawn(join(CODE, 'bin', 'ncl'), args, {
      env: { ...process.env, NANOCLAW_HOME: host.home },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    return { child, said: () => said, ended: once(child, 'exit') };
  };

  host.process.kill('SIGSTOP');
  const chat = begin('chat', 'hello');
  const stop = begin('stop');
  try {
    await until(() => /^The host runs but does not answer; waiting for it/.test(chat.said()), 30_000);
    await until(() => /^The host runs but does not answer: its process \d+/.test(stop.said()), 30_000);
    host.process.kill('SIGCONT');
    assert.deepEqual(await stop.ended, [0, null], stop.said());
    await until(() => /No service starts it again: run `ncl start`/.test(chat.said()), 30_000);
  } finally {
    host.process.kill('SIGCONT');
    chat.child.kill('SIGKILL');
    stop.child.kill('SIGKILL');
  }
});
