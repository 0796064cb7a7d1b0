import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../test/support/until.ts';

/** The pace of a crash loop. The service manager waits a second before each start, so that 1 s is a pause of 0 here. */

const boot = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const uptime = () => Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]));

describe('launch.sh', { skip: process.platform === 'linux' ? false : 'it needs /proc' }, () => {
  let home = '';
  const state = () => join(home, 'data/service/starts');
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'nanoclaw-launch-'));
    mkdirSync(join(home, 'data/service'), { recursive: true });
  });
  after(() => rmSync(home, { recursive: true }));

  /** What it makes of a state: the crashes and the pause that it notes. */
  async function launch(before: string | undefined): Promise<{ crashes: number; pause: number; ended: number | null }> {
    rmSync(state(), { force: true });
    if (before !== undefined) writeFileSync(state(), before);
    const at = uptime();
    const child = spawn('/bin/sh', [join(import.meta.dirname, 'launch.sh'), home, 'sh', '-c', 'exit 7']);
    const end = once(child, 'exit');
    const noted = () => /^(\S+) (\d+) (\d+)\n$/.exec(readFileSync(state(), { encoding: 'utf8', flag: 'a+' }));
    await until(() => noted() && noted()?.[0] !== before);
    const [, , start = 0, crashes = 0] = noted() ?? [];
    // Ends it if it waits: a signal then is no crash.
    const pause = Number(start) - at;
    if (pause > 1) child.kill('SIGTERM');
    const [ended] = await end;
    return { crashes: Number(crashes), pause, ended };
  }

  const quick = (crashes: number) => `${boot()} ${uptime()} ${crashes}\n`;
  const table: [name: string, before: () => string | undefined, crashes: number, pause: number][] = [
    ['the first start', () => undefined, 0, 0],
    ['1 s after a crash', () => quick(0), 1, 0],
    ['2 s', () => quick(1), 2, 1],
    ['4 s', () => quick(2), 3, 3],
    ['8 s', () => quick(3), 4, 7],
    ['16 s', () => quick(4), 5, 15],
    ['32 s', () => quick(5), 6, 31],
    ['60 s', () => quick(6), 7, 59],
    ['60 s for ever', () => quick(123), 124, 59],
    ['a minute of work begins anew', () => `${boot()} ${uptime() - 61} 50\n`, 1, 0],
    ['a start that was killed in its pause', () => `${boot()} ${uptime() + 30} 5\n`, 6, 31],
    ['another boot', () => `00000000-0000-0000-0000-000000000000 ${uptime()} 6\n`, 0, 0],
    ['a file of no use', () => 'x\n', 0, 0],
    ['a file with no numbers', () => `${boot()} $(id) 1\n`, 0, 0],
  ];
  for (const [name, before, crashes, pause] of table) {
    test(name, async () => {
      const seen = await launch(before());
      assert.equal(seen.crashes, crashes);
      // The clock of the test is read a moment earlier.
      assert.ok(seen.pause >= pause && seen.pause <= pause + 2, `${seen.pause} s, not ${pause}`);
      assert.equal(seen.ended, seen.pause > 1 ? 0 : 7);
    });
  }

  test('what the program says is kept, and the file is bounded', async () => {
    const output = join(home, 'logs/host.out.log');
    writeFileSync(output, 'x'.repeat(1_100_000));
    rmSync(state(), { force: true });
    const child = spawn('/bin/sh', [
      join(import.meta.dirname, 'launch.sh'),
      home,
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    await once(child, 'exit');
    assert.equal(readFileSync(output, 'utf8'), 'out\nerr\n');
    assert.equal(readFileSync(`${output}.1`).length, 1_100_000);
  });
});
