import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { CODE } from '../support/host-process.ts';

interface Run {
  status: number | string | null | undefined;
  output: string;
}

test('of two starts at the same moment, both find the one host that runs', async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-e2e-')));
  const env = { ...process.env, NANOCLAW_HOME: home };
  const ncl = (...args: string[]) =>
    new Promise<Run>((resolve) => {
      execFile(join(CODE, 'bin', 'ncl'), args, { env }, (error, stdout, stderr) =>
        resolve({ status: error ? error.code : 0, output: stdout + stderr }),
      );
    });
  try {
    initFirstAgent(home, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
    const runs = await Promise.all([ncl('start'), ncl('start'), ncl('start')]);
    for (const { status, output } of runs) {
      assert.equal(status, 0, output);
      assert.match(output, /^The host is running( already)? \(pid \d+\)\.\n$/);
    }
    assert.equal(new Set(runs.map(({ output }) => /\d+/.exec(output)?.[0])).size, 1);
    // The log is whole at the host's end.
    await ncl('stop');
    assert.doesNotMatch(readFileSync(join(home, 'logs', 'nanoclaw.log'), 'utf8'), /"level":"error"/);
  } finally {
    await ncl('stop', '--force');
    rmSync(home, { recursive: true });
  }
});
