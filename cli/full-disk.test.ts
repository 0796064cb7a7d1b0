import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NanoError } from '../src/errors.ts';
import { until } from '../test/support/until.ts';
import { orNoRoom } from './room.ts';
import { type Checkout, makeCheckout } from './testing/checkout.ts';

const mount = (folder: string, size: string) => {
  mkdirSync(folder, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'nanoclaw-test', folder]).status === 0;
};
const fill = (folder: string, left = 0) => {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, 'filler'), Buffer.alloc(bavail * bsize - left));
};

describe('on a disk without room', () => {
  let checkout: Checkout;
  const mounted: string[] = [];
  before(() => {
    checkout = makeCheckout();
  });
  after(async () => {
    await checkout.ncl(['stop', '--force']);
    // Not while anything holds a file there; what was ended may do so for a moment.
    for (const folder of mounted) await until(() => spawnSync('umount', [folder]).status === 0, 10_000);
    await checkout.remove();
  });

  test('a restart is refused, and the host that works goes on', async (t) => {
    const data = join(checkout.root, 'data');
    if (!mount(data, '8m')) return t.skip('only root may mount a disk for it');
    mounted.push(data);
    const { stdout, stderr: trouble } = await checkout.ncl(['start', '--json']);
    assert.equal(trouble, '');
    fill(data);
    const { status, stderr } = await checkout.ncl(['restart']);
    assert.match(stderr, /^There is no room left on the disk\. 0 MB are free for .*data\. Nothing was stopped\. /);
    assert.equal(status, 1);
    const running = await checkout.ncl(['status', '--json']);
    assert.equal(JSON.parse(running.stdout).pid, JSON.parse(stdout).pid);
  });

  test('a start says so, although its log has no room for that', async (t) => {
    const home = join(checkout.root, 'home');
    if (!mount(home, '1m')) return t.skip('only root may mount a disk for it');
    mounted.push(home);
    for (const folder of ['data', 'logs']) mkdirSync(join(home, folder));
    const real = join(dirname(import.meta.dirname), 'src', 'index.ts');
    copyFileSync(real, join(checkout.root, 'src', 'index.ts'));
    fill(home);
    const { status, stderr } = await checkout.ncl(
      [`NANOCLAW_HOME=${home}`, join(checkout.root, 'bin', 'ncl'), 'start'],
      {
        command: 'env',
      },
    );
    assert.match(stderr, /^There is no room left on the disk\. 0 MB are free for .*data\. The host did not start\. /);
    assert.equal(status, 1);
  });
});

test('another reason for a failed start is not taken for a lack of room', () => {
  const thrown = new NanoError('NC_HOST_START', 'It ended with status 1.');
  assert.equal(orNoRoom(import.meta.dirname, thrown), thrown);
});
