import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { initFirstAgent } from '../../src/groups/init.ts';
import { CODE, startHost } from '../support/host-process.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** An install whose data/ has a disk of its own, unmounted at the end. */
function mountDisk(megabytes: number): { home: string; data: string } & Disposable {
  const home = mkdtempSync(join(tmpdir(), 'nanoclaw-disk-'));
  const data = join(home, 'data');
  mkdirSync(data);
  const { status, stderr } = mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'nanoclaw-test', data);
  assert.equal(status, 0, stderr);
  return {
    home,
    data,
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', data]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function mount(...args: string[]) {
  return spawnSync('mount', args, { encoding: 'utf8' });
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-mount-'));
  const { status } = mount('-t', 'tmpfs', 'nanoclaw-test', folder);
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return status === 0;
}

/** Writes until nothing goes any more. */
function fill(file: string): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (const size of [chunk.length, 4096, 1]) {
    try {
      for (;;) writeFileSync(file, chunk.subarray(0, size), { flag: 'a' });
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    }
  }
}

function acceptanceOf(platform: Platform, id: string): Record<string, unknown> {
  return { ...platform.events.get(id)?.acceptance };
}

function integrity(home: string): unknown {
  const db = new DatabaseSync(join(home, 'data/v2.db'));
  const found = db.prepare('PRAGMA integrity_check').get()?.integrity_check;
  db.close();
  return found;
}

describe('a disk', { skip: mayMount() ? false : 'only root may mount a disk for it' }, () => {
  test('that fills up in the middle of turns: refused with a sentence, nothing lost, and it heals', async () => {
    using disk = mountDisk(64);
    const { home, data } = disk;
    using platform = await startPlatform();
    {
      await using host = await startHost({
        home,
        platform,
        chats: ['a', 'b', 'c'],
        environment: { NANOCLAW_RETRY_MS: '300' },
      });
      const terminal = await host.terminal();
      platform.send('a', 'run echo warm');
      await until(() => platform.said('a').length > 0);
      const accepted = ['a', 'b', 'c'].flatMap((chat) => [
        platform.send(chat, `run sleep 1; echo first ${chat}`),
        platform.send(chat, `run echo second ${chat}`),
      ]);
      await until(() => accepted.every((id) => platform.events.get(id)?.acceptance));
      fill(join(data, 'filler'));
      const refused = platform.send('a', 'run echo too much');
      await until(() => platform.events.get(refused)?.acceptance);
      const { status, code, sentence } = acceptanceOf(platform, refused);
      assert.deepEqual([status, code], ['refused', 'NC_DISK_FULL']);
      assert.match(String(sentence), /no room left on the disk.*Make room/);
      // The watch sees it, too, and keeps a reserve: the journal alone would take some more.
      await until(() => host.log().includes('room on the disk'));
      rmSync(join(data, 'filler'));
      assert.ok(statfsSync(data).bavail > 0);
      await until(() => accepted.every((id) => platform.events.get(id)?.outcome), 60_000);
      await until(async () => {
        const id = platform.send('b', 'run echo healed');
        await until(() => platform.events.get(id)?.acceptance);
        return platform.events.get(id)?.acceptance?.status === 'stored';
      }, 30_000);
      await until(() => platform.said('b').some((text) => text.includes('healed')));
      await until(() => terminal.said().some((text) => text.includes('There is room on the disk again.')));
      for (const chat of ['a', 'b', 'c']) {
        const said = platform.said(chat).join('\n');
        for (const which of ['first', 'second']) assert.match(said, new RegExp(`${which} ${chat}|disk is full|⚠️`));
      }
    }
    assert.equal(integrity(home), 'ok');
  });

  test('that is read-only: a start says so and ends with 1', () => {
    using disk = mountDisk(16);
    initFirstAgent(disk.home, {});
    assert.equal(mount('-o', 'remount,ro', disk.data).status, 0);
    const { status, stderr } = spawnSync(process.execPath, [join(CODE, 'src/index.ts')], {
      env: { PATH: process.env.PATH, HOME: disk.home, NANOCLAW_HOME: disk.home },
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^A file or folder of this install can not be used\. .*read-only.* Make room, or give this user/,
    );
  });
});

/** What a disk does that turns read-only for an error: whoever has a file open can't write to it any more. */
function setUnwritable(file: string, unwritable: boolean): boolean {
  return spawnSync('chattr', [unwritable ? '+i' : '-i', file]).status === 0;
}

test('data/ becomes read-only while the host runs: refused with a sentence, and it heals', async (t) => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const journal = join(host.home, 'data/v2.db-wal');
  platform.send('a', 'run echo before');
  await until(() => platform.said('a').length === 1);
  if (!setUnwritable(journal, true))
    return t.skip('this file system has no immutable files, or this user may not make them');
  try {
    const refused = platform.send('a', 'run echo refused');
    await until(() => platform.events.get(refused)?.acceptance);
    const { status, code, sentence } = acceptanceOf(platform, refused);
    assert.deepEqual([status, code], ['refused', 'NC_DATA_FOLDER']);
    assert.match(String(sentence), /can not be used/);
  } finally {
    setUnwritable(journal, false);
  }
  const after = platform.send('a', 'run echo after');
  await until(() => platform.events.get(after)?.outcome === 'reply');
  assert.match(platform.said('a').join(), /after/);
  await host.end();
  assert.equal(integrity(host.home), 'ok');
});
