import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAudit } from '../../src/audit/index.ts';
import { createLogger } from '../../src/log/index.ts';
import { pathsFor } from '../../src/paths.ts';
import { createInstall } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';

process.env.NANOCLAW_DISK_LOOK_MS = '20';
const { createHousekeeping } = await import('./index.ts');

const KB = 1024;

test('the owner gets a word when the disk gets scarce, when it gets full, at a start with a full one, and at the end', async (t) => {
  using install = createInstall();
  const disk = join(install.root, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'nanoclaw-test', disk]).status !== 0) {
    return t.skip('only root may mount a disk for it');
  }
  const handed: string[] = [];
  const { db, takeOver } = install;
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
  const paths = { ...pathsFor(install.root), data: disk };
  const parts = {
    db,
    paths,
    env: () => ({}),
    takeOver,
    audit: createAudit(db),
    deliver: (ids: readonly string[]) => handed.push(...ids),
    log,
  };
  const words = () =>
    db
      .prepare("SELECT content FROM messages WHERE direction = 'out' ORDER BY rowid")
      .all()
      .map(({ content }) => /more than 90 %|is full|There is room/.exec(String(content))?.[0]);
  const filler = join(disk, 'filler');
  const fillTo = (kilobytes: number) => {
    truncateSync(filler, 0);
    writeFileSync(filler, Buffer.alloc(kilobytes * KB));
  };
  try {
    writeFileSync(filler, '');
    const first = createHousekeeping(parts);
    await first.start();
    const expected: string[] = [];
    for (const [kilobytes, word] of [
      [9400, 'more than 90 %'],
      [9900, 'is full'],
      [0, 'There is room'],
    ] as const) {
      // Grows: at no moment is there less in it than before.
      if (kilobytes === 0) truncateSync(filler, 0);
      else writeFileSync(filler, Buffer.alloc(kilobytes * KB), { flag: 'r+' });
      expected.push(word);
      await until(() => words().length >= expected.length);
      assert.deepEqual(words(), expected);
    }
    first.stop();
    assert.equal(handed.length, 3);
    for (const [kilobytes, more] of [
      [9400, []],
      [9900, ['is full']],
    ] as const) {
      fillTo(kilobytes);
      const next = createHousekeeping(parts);
      await next.start();
      next.stop();
      expected.push(...more);
      assert.deepEqual(words(), expected);
    }
    assert.equal(handed.length, 3, 'what is said at a start is sent with what else waits');
  } finally {
    spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
});
