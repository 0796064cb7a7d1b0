import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { ERRORS } from '../../src/errors.ts';
import { CODE, openTerminal } from '../support/host-process.ts';
import { until } from '../support/until.ts';

const TOGETHER = 5;

test('five hosts started at once on one install: one runs, four say so and end with 1, and nothing is lost', async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-five-')));
  initFirstAgent(home, { provider: 'demo', timezone: 'Europe/Berlin' });
  const hosts = Array.from({ length: TOGETHER }, () => start(home));
  try {
    await until(() => hosts.filter(({ child }) => child.exitCode !== null).length === TOGETHER - 1, 60_000);
    const [winner, ...none] = hosts.filter(({ child }) => child.exitCode === null);
    assert.ok(winner);
    assert.deepEqual(none, []);
    const { sentence, remedy } = ERRORS.NC_HOST_RUNNING;
    for (const host of hosts) {
      if (host === winner) continue;
      assert.equal(host.child.exitCode, 1);
      assert.equal(host.stderr(), `${sentence} Its process id is ${winner.child.pid}. ${remedy}\n`);
    }
    const log = () => readFileSync(join(home, 'logs/nanoclaw.log'), 'utf8');
    await until(() => existsSync(join(home, 'data/cli.sock')) && log().includes('"ready"'));
    const terminal = await openTerminal(join(home, 'data/cli.sock'));
    assert.match((await terminal.ask('run echo still here')).join(), /still here/);

    // Once more, while it works: those that come late disturb nothing, its sockets and scratch least of all.
    const id = terminal.send('run sleep 2; echo undisturbed');
    const late = Array.from({ length: 2 }, () => start(home));
    hosts.push(...late);
    await until(() => late.every(({ child }) => child.exitCode === 1), 60_000);
    await until(() => terminal.outcome(id) === 'reply', 60_000);
    assert.match(terminal.said().at(-1) ?? '', /undisturbed/);
    terminal.close();
  } finally {
    for (const { child } of hosts) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(home, { recursive: true, force: true });
  }
});

function start(home: string): { child: ChildProcess; stderr(): string } {
  const child = spawn(process.execPath, [join(CODE, 'src/index.ts')], {
    env: { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return { child, stderr: () => stderr };
}
